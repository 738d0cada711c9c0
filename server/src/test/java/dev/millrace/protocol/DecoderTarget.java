// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.limit.Limits;
import dev.millrace.loop.BodyBytes;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.Tensor;
import dev.millrace.online.FeatureRequests;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Millrace;
import dev.millrace.server.RawModel;
import dev.millrace.server.TestServer;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// What a fuzzer that looks at coverage calls, in a process of its own: bytes go to a decoder for a model, both chosen
/// by the first two. Whatever comes out but a [Refusal] is a mistake. Threads: one.
public final class DecoderTarget {
    /// By the second byte.
    static final List<String> MODELS = List.of(
            "linear",
            "two_in",
            "echo_int64",
            "echo_uint8",
            "echo_fp16",
            "echo_fp64",
            "echo_bool",
            "string_only",
            "gather",
            RawModel.NAME);

    /// By the first byte.
    enum Kind {
        JSON,
        MIXED,
        RAW,
        PREDICT,
        CSV,
        PROTOBUF,
        FEATURES,
        WIRE_FEATURES
    }

    /// The two that choose, and of a mixed body the length of its JSON.
    static final int HEAD = 3;

    private static final BodyBytes BYTES = new BodyBytes();
    private static final InferDecoder JSON = new InferDecoder(Limits.DEFAULT);
    private static final PredictDecoder PREDICT = new PredictDecoder(Limits.DEFAULT);
    private static final CsvDecoder CSV = new CsvDecoder(Limits.DEFAULT);
    private static final WireInferDecoder WIRE = new WireInferDecoder(Limits.DEFAULT);
    private static Millrace millrace;
    private static Call[] calls;
    private static byte[][][] names;

    private DecoderTarget() {}

    /// Called once. Leaves a model in the working directory.
    public static void fuzzerInitialize() throws IOException {
        Path repository = RawModel.addTo(Path.of("repository").toAbsolutePath());
        millrace = Millrace.open(TestServer.models(), repository);
        calls = MODELS.stream().map(model -> millrace.model(model).call()).toArray(Call[]::new);
        names = Arrays.stream(calls)
                .map(call -> call.signature().inputs().stream()
                        .map(input -> input.name().getBytes(StandardCharsets.UTF_8))
                        .toArray(byte[][]::new))
                .toArray(byte[][][]::new);
    }

    /// Called for every input.
    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length < HEAD) {
            return;
        }
        int model = Math.floorMod(data[1], MODELS.size());
        Kind kind = Kind.values()[Math.floorMod(data[0], Kind.values().length)];
        try {
            decode(kind, calls[model], names[model], Arrays.copyOfRange(data, HEAD, data.length), data[2] & 0xFF);
        } catch (Refusal | MemoryExceededException _) {
            return;
        }
        if (calls[model].raw() != null) {
            // What was decoded is also made into rows, or refused.
            calls[model].run();
        }
        for (int i = 0; i < names[model].length; i++) {
            Tensor tensor = calls[model].input(i);
            if (tensor.elementCount() > 16L * data.length + 16) {
                throw new IllegalStateException("a tensor of " + tensor.elementCount() + " elements");
            }
        }
    }

    private static void decode(Kind kind, Call call, byte[][] inputs, byte[] body, int jsonLength) {
        byte[] padded = Arrays.copyOf(body, body.length + JsonReader.PADDING);
        switch (kind) {
            case JSON -> JSON.decode(call, inputs, padded, 0, body.length, null);
            case PREDICT -> {
                PREDICT.takes(padded, 0, body.length);
                PREDICT.decode(call, inputs, padded, 0, body.length);
            }
            case CSV -> CSV.decode(call, padded, 0, body.length);
            case RAW -> JSON.decodeRaw(call, BYTES.of(Unpooled.wrappedBuffer(body), 0, body.length));
            case MIXED -> {
                int json = Math.min(jsonLength, body.length);
                byte[] text = Arrays.copyOf(Arrays.copyOf(body, json), json + JsonReader.PADDING);
                BYTES.of(Unpooled.wrappedBuffer(body), json, body.length - json);
                JSON.decode(call, inputs, text, 0, json, BYTES);
            }
            case FEATURES -> FeatureRequests.readJson(body);
            case WIRE_FEATURES -> FeatureRequests.readWire(body);
            case PROTOBUF -> {
                WIRE.begin();
                try {
                    WIRE.add(MemorySegment.ofArray(body));
                    WIRE.open();
                    WIRE.modelName();
                    WIRE.modelVersion();
                    WIRE.decode(call, inputs);
                    WIRE.outputs(call);
                } finally {
                    WIRE.end();
                }
            }
        }
    }
}
