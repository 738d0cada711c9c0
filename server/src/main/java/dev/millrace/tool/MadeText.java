// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.convert.Agreement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Says for people what was made of a model: a word on the left, what there is to say on the right. Threads: one.
final class MadeText {
    private static final int INDENT = 14;

    private final StringBuilder text = new StringBuilder();

    /// The file, and how long it is beside the one that it was made of.
    MadeText files(Path in, Path out) throws IOException {
        return line(
                "made",
                String.format(
                        Locale.ROOT, "%s, %,d bytes, of %s, %,d bytes", out, Files.size(out), in, Files.size(in)));
    }

    MadeText line(String word, String says) {
        String plain = ReportText.plain(says);
        text.append(word)
                .append(" ".repeat(INDENT - word.length()))
                .append(plain)
                .append('\n');
        return this;
    }

    MadeText agreement(Agreement agreement) {
        if (!agreement.isCompared()) {
            return line("answers", "not compared: " + agreement.obstacle());
        }
        String same = agreement.equal()
                ? "equal to the bit"
                : "at most " + part(agreement.difference()) + " of an output's largest value apart";
        return line("answers", same + ", on " + agreement.runs() + " random inputs");
    }

    static String part(double difference) {
        return String.format(Locale.ROOT, "%.1e", difference);
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
