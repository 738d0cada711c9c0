// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static dev.millrace.grpc.GrpcClient.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.Messages.InferTensorContents;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.grpc.message.Messages.ModelInferResponse;
import dev.millrace.grpc.message.Messages.ModelInferResponse.InferOutputTensor;
import dev.millrace.memory.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/// A tensor of a conformance case, as gRPC has it: as raw contents and as typed ones.
///
/// @param elements Boolean, Long with the bits of an integer, Float, Double, or ByteString for BYTES
record SuiteTensor(String name, DataType datatype, List<Long> shape, List<?> elements) {
    private static final int BF16_SHIFT = 16;

    static SuiteTensor of(String name, DataType datatype, List<Long> shape, Object... elements) {
        return new SuiteTensor(name, datatype, shape, Arrays.asList(elements));
    }

    /// A request whose inputs have typed contents.
    static ModelInferRequest.Builder typed(String model, SuiteTensor... inputs) {
        ModelInferRequest.Builder request = request(model);
        for (SuiteTensor input : inputs) {
            request.addInputs(input.typed());
        }
        return request;
    }

    /// A request whose inputs have raw contents.
    static ModelInferRequest.Builder raw(String model, SuiteTensor... inputs) {
        ModelInferRequest.Builder request = request(model);
        for (SuiteTensor input : inputs) {
            request.addInputs(input.head()).addRawInputContents(input.raw());
        }
        return request;
    }

    SuiteTensor named(String other) {
        return new SuiteTensor(other, datatype, shape, elements);
    }

    /// An input without elements.
    InferInputTensor.Builder head() {
        return InferInputTensor.newBuilder()
                .setName(name)
                .setDatatype(datatype.name())
                .addAllShape(shape);
    }

    InferInputTensor.Builder typed() {
        return head().setContents(contents());
    }

    /// Whether there is a field for its elements.
    boolean hasContents() {
        return datatype != DataType.FP16 && datatype != DataType.BF16;
    }

    InferTensorContents.Builder contents() {
        InferTensorContents.Builder contents = InferTensorContents.newBuilder();
        for (Object element : elements) {
            switch (datatype) {
                case BOOL -> contents.addBoolContents((Boolean) element);
                case INT8, INT16, INT32 -> contents.addIntContents(((Long) element).intValue());
                case INT64 -> contents.addInt64Contents((Long) element);
                case UINT8, UINT16, UINT32 -> contents.addUintContents(((Long) element).intValue());
                case UINT64 -> contents.addUint64Contents((Long) element);
                case FP32 -> contents.addFp32Contents((Float) element);
                case FP64 -> contents.addFp64Contents((Double) element);
                case BYTES -> contents.addBytesContents((ByteString) element);
                case FP16, BF16 -> throw new IllegalArgumentException(datatype + " has no field");
            }
        }
        return contents;
    }

    ByteString raw() {
        ByteString all = ByteString.EMPTY;
        for (Object element : elements) {
            all = all.concat(raw(element));
        }
        return all;
    }

    private ByteString raw(Object element) {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        switch (datatype) {
            case BOOL -> bytes.put((byte) ((Boolean) element ? 1 : 0));
            case INT8, UINT8 -> bytes.put(((Long) element).byteValue());
            case INT16, UINT16 -> bytes.putShort(((Long) element).shortValue());
            case INT32, UINT32 -> bytes.putInt(((Long) element).intValue());
            case INT64, UINT64 -> bytes.putLong((Long) element);
            case FP16 -> bytes.putShort(Float.floatToFloat16((Float) element));
            case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits((Float) element) >>> BF16_SHIFT));
            case FP32 -> bytes.putFloat((Float) element);
            case FP64 -> bytes.putDouble((Double) element);
            case BYTES -> {
                ByteString text = (ByteString) element;
                return ByteString.copyFrom(bytes.putInt(text.size()).flip()).concat(text);
            }
        }
        return ByteString.copyFrom(bytes.flip());
    }

    /// Wants these outputs and no others, to the last bit.
    static void require(ModelInferResponse response, SuiteTensor... outputs) {
        assertThat(response.getOutputsList())
                .extracting(InferOutputTensor::getName)
                .containsExactly(Arrays.stream(outputs).map(SuiteTensor::name).toArray(String[]::new));
        assertThat(response.getRawOutputContentsCount()).isEqualTo(outputs.length);
        for (int i = 0; i < outputs.length; i++) {
            InferOutputTensor came = response.getOutputs(i);
            assertThat(came.getDatatype()).as(came.getName()).isEqualTo(outputs[i].datatype.name());
            assertThat(came.getShapeList()).as(came.getName()).isEqualTo(outputs[i].shape);
            assertThat(came.hasContents()).as(came.getName()).isFalse();
            assertThat(response.getRawOutputContents(i)).as(came.getName()).isEqualTo(outputs[i].raw());
        }
    }
}
