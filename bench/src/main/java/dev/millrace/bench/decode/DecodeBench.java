// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.decode;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// How long one reader takes to read one text, in a process of its own; there it has to read all texts to the bit
/// first.
@State(Scope.Thread)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@BenchmarkMode(Mode.AverageTime)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DecodeBench {
    /// Who reads: the name of a `Reader.Kind`.
    @Param("OWN")
    public String reader;

    /// What is read.
    @Param
    public Document document;

    private List<Document.Text> texts;
    private Reader open;
    private int next;

    /// Makes the texts and lets the reader through the gate.
    @Setup
    public void open() {
        texts = document.texts();
        open = Reader.Kind.valueOf(reader).open(document);
        open.check(texts);
    }

    /// One text.
    @Benchmark
    public float read() {
        next = next + 1 == texts.size() ? 0 : next + 1;
        return open.read(texts.get(next));
    }
}
