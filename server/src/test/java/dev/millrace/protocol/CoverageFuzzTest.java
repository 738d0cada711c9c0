// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.millrace.grpc.message.FeastServing.FeatureList;
import dev.millrace.grpc.message.FeastServing.GetOnlineFeaturesRequest;
import dev.millrace.grpc.message.FeastTypes.RepeatedValue;
import dev.millrace.grpc.message.FeastTypes.Value;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import dev.millrace.grpc.message.Messages.ModelInferRequest.InferInputTensor;
import dev.millrace.protocol.DecoderTarget.Kind;
import dev.millrace.server.Bodies;
import dev.millrace.server.RawModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The decoders under a fuzzer that keeps what reaches new code, Jazzer, for 20 seconds in a process of its own:
/// `-Dmillrace.fuzz.seconds=3600` for longer.
@Tag("slow")
class CoverageFuzzTest {
    private static final int SECONDS = Integer.getInteger("millrace.fuzz.seconds", 20);
    private static final Pattern COVERED = Pattern.compile("#(\\d+)\\s+\\w+\\s+cov: (\\d+)");

    @TempDir
    Path folder;

    private int seeds;

    private void seed(Kind kind, String model, int jsonLength, byte[] body) throws IOException {
        byte[] data = new byte[DecoderTarget.HEAD + body.length];
        data[0] = (byte) kind.ordinal();
        data[1] = (byte) DecoderTarget.MODELS.indexOf(model);
        data[2] = (byte) jsonLength;
        System.arraycopy(body, 0, data, DecoderTarget.HEAD, body.length);
        Files.write(Files.createDirectories(folder.resolve("corpus")).resolve("seed" + seeds++), data);
    }

    private void seed(Kind kind, String model, String body) throws IOException {
        seed(kind, model, 0, body.getBytes(StandardCharsets.UTF_8));
    }

    private void writeSeeds() throws IOException {
        seed(Kind.JSON, "linear", Bodies.LINEAR);
        seed(Kind.JSON, "string_only", Bodies.request(Bodies.input("text", "[2,1]", "BYTES", "['a','\\u00e9']")));
        seed(Kind.JSON, "echo_int64", Bodies.request(Bodies.input("in_INT64", "[1,2]", "INT64", "[[-9,7]]")));
        seed(Kind.PREDICT, "linear", Bodies.json("{'instances':[[1,2,3,4]]}"));
        seed(Kind.PREDICT, "two_in", Bodies.json("{'inputs':{'a':[[1,2]],'b':[[3,4]]}}"));
        seed(
                Kind.PREDICT,
                RawModel.NAME,
                Bodies.json("{'context':{'country':'CH','web':true,'items':2},"
                        + "'instances':[{'amount':12.5,'ratio':null},{'amount':-3,'ratio':0.5}],'reports':true}"));
        seed(
                Kind.JSON,
                RawModel.NAME,
                Bodies.request(Bodies.input("amount", "[2]", "FP64", "[1,2]") + ","
                        + Bodies.input("country", "[2]", "BYTES", "[null,'CH']")));
        seed(Kind.CSV, "linear", "1,2.5,-3e2,4\n5,6,7,8\n");
        seed(Kind.CSV, "echo_uint8", "1,255\n");
        seed(Kind.RAW, "echo_fp64", 0, new byte[16]);
        byte[] json = Bodies.json("{'inputs':[{'name':'x','shape':[1,4],'datatype':'FP32',"
                        + "'parameters':{'binary_data_size':16}}]}")
                .getBytes(StandardCharsets.UTF_8);
        seed(Kind.MIXED, "linear", json.length, java.util.Arrays.copyOf(json, json.length + 16));
        ModelInferRequest request = ModelInferRequest.newBuilder()
                .setModelName("linear")
                .setId("a")
                .addInputs(InferInputTensor.newBuilder()
                        .setName("x")
                        .setDatatype("FP32")
                        .addShape(1)
                        .addShape(4))
                .addRawInputContents(ByteString.copyFrom(new byte[16]))
                .build();
        seed(Kind.PROTOBUF, "linear", 0, request.toByteArray());
        seed(
                Kind.FEATURES,
                "linear",
                Bodies.json("{'features':['v:a'],'entities':{'user':[1,'a',null,0.5]},'full_feature_names':true}"));
        GetOnlineFeaturesRequest features = GetOnlineFeaturesRequest.newBuilder()
                .setFeatures(FeatureList.newBuilder().addVal("v:a"))
                .putEntities(
                        "user",
                        RepeatedValue.newBuilder()
                                .addVal(Value.newBuilder().setInt64Val(1))
                                .addVal(Value.newBuilder().setStringVal("a"))
                                .addVal(Value.newBuilder().setFloatVal(0.5f))
                                .build())
                .build();
        seed(Kind.WIRE_FEATURES, "linear", 0, features.toByteArray());
    }

    @Test
    @org.junit.jupiter.api.Timeout(value = 3, unit = TimeUnit.HOURS)
    void shouldFindNothingWrongWithTheDecoders() throws Exception {
        writeSeeds();
        Path output = folder.resolve("output.txt");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+EnableDynamicAgentLoading",
                "-Xmx1g",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + DecoderTarget.class.getName(),
                "--instrumentation_includes=dev.millrace.json.**:dev.millrace.online.**:dev.millrace.protocol.**",
                "-max_total_time=" + SECONDS,
                "-timeout=30",
                "-rss_limit_mb=4096",
                folder.resolve("corpus").toString()));
        Process fuzzer = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!fuzzer.waitFor(SECONDS + 100L, TimeUnit.SECONDS)) {
            fuzzer.destroyForcibly().waitFor();
        }

        String told = Files.readString(output);
        assertThat(fuzzer.exitValue()).as(told).isZero();
        long inputs = 0;
        long first = 0;
        long covered = 0;
        for (Matcher line = COVERED.matcher(told); line.find(); ) {
            inputs = Long.parseLong(line.group(1));
            covered = Long.parseLong(line.group(2));
            first = first == 0 ? covered : first;
        }
        assertThat(inputs).as(told).isGreaterThan(10_000);
        assertThat(covered)
                .as("branches reached, %d of them by the seeds", first)
                .isGreaterThan(first);
    }
}
