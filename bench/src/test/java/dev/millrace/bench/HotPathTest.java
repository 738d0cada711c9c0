// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What `@Hot` methods of all modules do, read from their byte code.
class HotPathTest {
    /// What a hot method may call although it is not hot, and why.
    private static final Map<String, String> COLD_EXITS = Map.ofEntries(
            // The request is refused or has failed.
            Map.entry("Call.reject", "an input is wrong"),
            Map.entry("CallInputs.problem", "an input is wrong"),
            Map.entry("CallInputs.tooMany", "the same"),
            Map.entry("RawRows.wrongRank", "the same"),
            Map.entry("RawRows.wrongCount", "the same"),
            Map.entry("RawRows.noRows", "the same"),
            Map.entry("RawRows.rejected", "a row is rejected"),
            Map.entry("RawRows.shapeReports", "reports were asked for"),
            Map.entry("RawRows.note", "the same"),
            Map.entry("StringDecoder.decode", "a string with escapes"),
            Map.entry("DataDecoder.storeBytes", "a string in base64"),
            Map.entry("Tensor.setCopy", "a string for a model, which is an object"),
            Map.entry("PackedTexts.copy", "a raw value that somebody wants as an object"),
            // Stored values that are far away.
            Map.entry("WakeUp.fetch", "they are waited for"),
            Map.entry("CallInputs.takeFetched", "the same"),
            Map.entry("CallInputs.forget", "the same"),
            Map.entry("FetchedReader.lookFor", "the same"),
            Map.entry("Call.enterElsewhere", "the call's version was replaced"),
            Map.entry("ModelCalls.of", "the same"),
            Map.entry("EmbeddedReader.requireMoved", "the view has grown, or the store was closed"),
            Map.entry("Recall.find", "the model's answers are kept"),
            Map.entry("Call.recalled", "the same"),
            Map.entry("EnsembleHost.enter", "a request to an ensemble, which is several requests"),
            Map.entry("EnsembleHost.leave", "the same"),
            Map.entry("EnsembleHost.priority", "the same"),
            Map.entry("EnsembleHost.deadlineNanos", "the same"),
            Map.entry("EnsembleRun.start", "the same"),
            Map.entry("Recall.answered", "the same"),
            Map.entry("Answers.outcome", "an answer cannot be copied"),
            Map.entry("Answers.tell", "the same"),
            Map.entry("Call.problem", "the same, or its run has failed"),
            Map.entry("Lane.failed", "a run has failed"),
            Map.entry("Lane.failedWholly", "a run has failed"),
            Map.entry("Breaker.close", "the model works again"),
            Map.entry("Breaker.admits", "the model keeps failing"),
            Map.entry("Lane.cancelled", "a request was cancelled"),
            Map.entry("Slice.resumed", "a part of a batch that has failed"),
            Map.entry("Call.outOfMemory", "says what there is no memory for"),
            Map.entry("NativeCallFrame.runAfter", "the allocator had no room for the run"),
            Map.entry("LaneRecorder.recordRefusal", "a recording wants the event"),
            Map.entry("Lane.complain", "logs a completion that threw"),
            Map.entry("Termination.awaitTerminated", "the run was terminated"),
            Map.entry("OrtApi.unsetTerminate", "the run was terminated"),
            Map.entry("JsonReader.atEnd", "the text has ended, or is no JSON"),
            Map.entry("InputDecoder.requireComplete", "says what an input lacks"),
            // Flight Recorder records it, or it is traced.
            Map.entry("Sampling.answered", "a request that is traced"),
            Map.entry("BatchEvent.begun", "an event of a batch"),
            Map.entry("Lane.endEvent", "an event of a batch"),
            Map.entry("RequestEvent.begun", "an event of a request"),
            Map.entry("Timing.report", "an event of a request"),
            // Something is made that stays.
            Map.entry("BatchCounts.newPage", "the first batch of such a size"),
            Map.entry("Nulls.grow", "a null further behind than before"),
            Map.entry("Tensor.bookMore", "longer texts than before"),
            Map.entry("PackedTexts.grow", "the same"),
            Map.entry("PackedTexts.grown", "the same"),
            Map.entry("CallInputs.reshape", "another number of columns than before"),
            Map.entry("RawRows.reshape", "the first rows"),
            Map.entry("Tensor.reshape", "another shape than before; memory grows to the largest"),
            Map.entry("DataDecoder.reserveCounts", "a deeper tensor than before"),
            Map.entry("WireWriter.grow", "a longer answer than before"),
            Map.entry("InputReader.resizeSeen", "a model with another number of inputs than the last one"),
            Map.entry("Tensor.changeRows", "another number of rows than before; memory grows to the largest"),
            Map.entry("Turner.grow", "more lanes than before in one turn"),
            Map.entry("Call.freshTensors", "the last request ended early and left its tensors to the lane"),
            Map.entry("TensorBackend.keep", "the same, by the lane"),
            Map.entry("TensorSet.close", "the call has tensors again when its old ones come back"),
            Map.entry("TensorSet.preset", "the same, when the next request comes"),
            Map.entry("JsonWriter.grow", "a longer answer than before"),
            Map.entry("FeatureRow.grow", "longer texts than before"),
            Map.entry("BodyBytes.getPieces", "a body that lies in several pieces"),
            Map.entry("BinaryOutputs.grow", "more outputs as bytes than before"),
            Map.entry("JsonWriter.shrink", "the last answer was very long"),
            Map.entry("Submission.release", "the client has gone"),
            // Once per tensor or per wake-up, whatever they hold.
            Map.entry("DataDecoder.settleDepth", "once per tensor"),
            Map.entry("WakeUp.awaitEnd", "once per wake-up"),
            Map.entry("Clients.find", "a client that is new on its connection, or one of too many"),
            Map.entry("OutputDecoder.decode", "once per request that chooses outputs"),
            Map.entry("RequestParameters.decode", "once per request that has parameters"),
            Map.entry("WireInferDecoder.readParameter", "once per parameter"),
            Map.entry("WireInputDecoder.readParameter", "once per parameter"),
            Map.entry("WireOutputWriter.otherModel", "another model than the last one"),
            // What plain requests do not have.
            Map.entry("StringDecoder.skipEscape", "an escape in a string"),
            Map.entry("StringDecoder.skipOther", "text beyond ASCII"),
            Map.entry("StringDecoder.isDecoded", "an escape in a string"),
            Map.entry("NumberDecoder.slowReal", "a number that takes more than one operation"),
            Map.entry("NumberDecoder.slowReal32", "a number that takes more than one operation"),
            Map.entry("OutputDecoder.chosen", "once per request that chooses outputs"),
            Map.entry("OutputWriter.beginClasses", "an output of which classes are wanted"),
            Map.entry("WireOutputWriter.classify", "the same"),
            Map.entry("InputDecoder.readNoParameters", "parameters of an input that are null, or wrong"),
            Map.entry("InputDecoder.readOtherName", "no input of the model"),
            Map.entry("InputDecoder.readOtherType", "no datatype"),
            // Strings are garbage on the way in and out.
            Map.entry("InferDecoder.readId", "the request's id"),
            Map.entry("WireInferDecoder.readId", "the request's id"),
            Map.entry("WireOutputWriter.writeId", "the request's id"),
            Map.entry("WireContentsDecoder.readText", "a string"),
            Map.entry("WireOutputWriter.writeKeys", "keys of maps"),
            Map.entry("BinaryDecoder.decodeStrings", "strings"),
            Map.entry("JsonWriter.string", "a string"),
            Map.entry("OutputWriter.keys", "keys of maps"),
            // The path that is hot ends here.
            Map.entry("Requester.advance", "Netty's pipeline"),
            Map.entry("Connection.flush", "Netty's pipeline"),
            Map.entry("UnaryHandler.answer", "gRPC's library"),
            Map.entry("StreamHandler.advance", "gRPC's library"),
            Map.entry("Ticket.await", "the thread is about to park"),
            Map.entry("Answer.statusAndType", "an error, or no JSON"),
            Map.entry("Responses.timing", "asked for by a header"),
            Map.entry("Completion.completed", "the user's code"),
            Map.entry("TensorRunner.run", "outputs of unknown shape, strings and maps: costs some garbage per run"),
            Map.entry("JavaRowRunner.run", "stands in where the C API is not to be had"));

    @Test
    void shouldKeepHotMethodsHot() {
        HotRules rules = new HotRules(CompiledClasses.ofAllModules(), COLD_EXITS);

        assertThat(rules.check()).isEmpty();
        assertThat(rules.methods()).as("marked methods").isGreaterThan(100);
        assertThat(rules.unusedExits())
                .as("listed cold exits that nothing hot calls")
                .isEmpty();
    }

    @Test
    void shouldFindEveryViolationWhenHotRulesAreBroken() {
        CompiledClasses samples =
                CompiledClasses.of(HotSamples.Wrong.class, HotSamples.Marked.class, HotSamples.Unmarked.class);

        List<String> found = new HotRules(samples, Map.of()).check();

        assertThat(found.stream()
                        .map(violation -> violation.replaceAll("@\\d+", "").replace("HotSamples.", "")))
                .containsExactlyInAnyOrder(
                        "Wrong.newObject: new Object",
                        "Wrong.exceptionNotThrown: new IllegalStateException",
                        "Wrong.primitiveArray: new array",
                        "Wrong.referenceArray: new array",
                        "Wrong.arrayOfArrays: new array",
                        "Wrong.clonedArray: copies an array",
                        "Wrong.boxing: boxes by Integer.valueOf",
                        "Wrong.lambda: invokedynamic get (a lambda or string concatenation)",
                        "Wrong.concatenation: invokedynamic makeConcatWithConstants (a lambda or string concatenation)",
                        "Wrong.synchronizedMethod: is synchronized",
                        "Wrong.synchronizedBlock: takes a lock",
                        "Wrong.stream: uses a stream: List.stream",
                        "Wrong.stream: uses a stream: Stream.count",
                        "Wrong.format: new array",
                        "Wrong.format: calls String.format, which allocates",
                        "Wrong.logging: logs by Logger.info",
                        "Wrong.map: uses a map: Map.size",
                        "Wrong.iteration: iterates over a collection: List.iterator",
                        "Wrong.callOfUnmarked: calls Wrong.unmarked, which is neither @Hot nor a listed cold exit",
                        "Unmarked.run: implements Marked.run, which is @Hot, and is not itself");
        assertThat(found).anyMatch(violation -> violation.matches("HotSamples\\.Wrong\\.stream@[1-9]\\d*: .*"));
    }

    @Test
    void shouldFindNothingWhenHotRulesAreKept() {
        CompiledClasses samples = CompiledClasses.of(HotSamples.Right.class, HotSamples.Right.Colour.class);
        HotRules rules = new HotRules(samples, Map.of("HotSamples.Right.complain", "a sample"));

        assertThat(rules.check()).isEmpty();
        assertThat(rules.methods()).isEqualTo(4);
        assertThat(rules.unusedExits()).isEmpty();
    }
}
