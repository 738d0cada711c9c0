// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.Serial;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/// What is logged of a model that fails, by a clock of the test's own.
class FailureLogTest {
    private final Lines lines = new Lines();
    private final FailureLog log = new FailureLog(lines, "model 'm' version 1");
    private long now = -5;

    /// A logger that keeps what it is given.
    private static final class Lines extends LegacyAbstractLogger {
        @Serial
        private static final long serialVersionUID = 1L;

        private final transient List<String> texts = new ArrayList<>();
        private final transient List<Throwable> stacks = new ArrayList<>();

        @Override
        protected String getFullyQualifiedCallerName() {
            return null;
        }

        @Override
        protected void handleNormalizedLoggingCall(
                Level level, Marker marker, String pattern, Object[] arguments, Throwable throwable) {
            texts.add(level + " " + MessageFormatter.basicArrayFormat(pattern, arguments));
            stacks.add(throwable);
        }

        @Override
        public boolean isTraceEnabled() {
            return true;
        }

        @Override
        public boolean isDebugEnabled() {
            return true;
        }

        @Override
        public boolean isInfoEnabled() {
            return true;
        }

        @Override
        public boolean isWarnEnabled() {
            return true;
        }

        @Override
        public boolean isErrorEnabled() {
            return true;
        }
    }

    private String fail(String message) {
        return log.failed(new IllegalStateException(message), now);
    }

    private void pass(long millis) {
        now += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Test
    void shouldLogTheFirstFailureWithItsStack() {
        IllegalStateException failure = new IllegalStateException("device lost");

        String id = log.failed(failure, now);

        assertThat(lines.texts).containsExactly("ERROR model 'm' version 1 failed, error id " + id);
        assertThat(lines.stacks).containsExactly(failure);
    }

    @Test
    void shouldCountWhatFollowsAndSayItNowAndThen() {
        String first = fail("0");
        for (int i = 1; i < 10_000; i++) {
            pass(1);
            assertThat(fail("" + i)).isEqualTo(first);
        }
        assertThat(lines.texts).hasSize(1);

        pass(1);
        String second = fail("10000");

        assertThat(second).isNotEqualTo(first);
        assertThat(lines.texts).hasSize(2);
        assertThat(lines.texts.getLast())
                .isEqualTo("ERROR model 'm' version 1 failed 10000 more times since error id " + first
                        + ", the last time: 10000; error id " + second + " from now on");
        assertThat(lines.stacks.getLast()).isNull();
        assertThat(fail("again")).isEqualTo(second);
    }

    @Test
    void shouldLogSixLinesAMinuteWhateverTheRate() {
        for (int i = 0; i < 60_000; i++) {
            fail("" + i);
            pass(1);
        }

        assertThat(lines.texts).hasSize(6);
        assertThat(lines.stacks.stream().filter(stack -> stack != null)).hasSize(1);
    }

    @Test
    void shouldBeginAnewWhenItWasQuiet() {
        String first = fail("a");
        pass(1000);
        fail("b");
        pass(59_999);
        assertThat(fail("c")).as("not quiet yet").isNotEqualTo(first);
        fail("d");
        assertThat(lines.texts).hasSize(2);

        pass(60_000);
        String next = fail("e");

        assertThat(lines.texts).hasSize(4);
        assertThat(lines.texts.get(2)).contains("failed 1 more times", "60 s ago", "the last time: d");
        assertThat(lines.texts.get(3)).isEqualTo("ERROR model 'm' version 1 failed, error id " + next);
        assertThat(lines.stacks.getLast()).hasMessage("e");
    }

    @Test
    void shouldTellWhatIsLeftWhenItIsClosed() {
        log.close(now);
        assertThat(lines.texts).isEmpty();
        String id = fail("a");
        fail("b");
        fail("c");
        pass(2000);
        log.close(now);
        log.close(now);

        assertThat(lines.texts).hasSize(2);
        assertThat(lines.texts.getLast())
                .isEqualTo("ERROR model 'm' version 1 failed 2 more times since error id " + id
                        + ", 2 s ago, the last time: c");
    }
}
