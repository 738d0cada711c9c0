// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.OutputStreamAppender;
import dev.millrace.manage.LogSettings.Change;
import dev.millrace.manage.LogSettings.Format;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

/// What is logged after a change, in a log of the test's own.
class LogControlTest {
    private final LoggerContext context = new LoggerContext();
    private final LogControl log = new LogControl(() -> context);
    private final Logger own = context.getLogger("dev.millrace.runtime.Lane");
    private final Logger other = context.getLogger("io.netty.Channel");
    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();

    @BeforeEach
    void start() {
        context.setMDCAdapter(new LogbackMDCAdapter());
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%d{HH} %-5level %logger{0}: %msg%n");
        encoder.start();
        OutputStreamAppender<ILoggingEvent> appender = new OutputStreamAppender<>();
        appender.setContext(context);
        appender.setName(LogSettings.OWN_APPENDER);
        appender.setEncoder(encoder);
        appender.setOutputStream(lines);
        appender.start();
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.WARN);
        context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
    }

    /// What the loggers let through, a word each.
    private String logged() {
        lines.reset();
        own.trace("trace");
        own.debug("debug");
        own.info("info");
        own.warn("warn");
        own.error("error");
        other.info("other-info");
        other.warn("other-warn");
        return lines.toString(StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                .reduce("", (all, one) -> all.isEmpty() ? one : all + " " + one);
    }

    private static Change change(String info, String warning, String error, int verbose) {
        return new Change(bool(info), bool(warning), bool(error), OptionalInt.of(verbose), Optional.empty());
    }

    private static Optional<Boolean> bool(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text.equals("+"));
    }

    @Test
    void shouldTellWhatTheProgramWasStartedWith() {
        assertThat(log.settings()).isEqualTo(new LogSettings(false, true, true, 0, Format.DEFAULT));
        context.getLogger("dev.millrace").setLevel(Level.TRACE);
        assertThat(log.settings()).isEqualTo(new LogSettings(true, true, true, 2, Format.DEFAULT));
        context.getLogger("dev.millrace").setLevel(Level.OFF);
        assertThat(log.settings()).isEqualTo(new LogSettings(false, false, false, 0, Format.DEFAULT));
    }

    @Test
    void shouldLogWhatIsWantedAndNothingElse() {
        assertThat(logged()).isEqualTo("warn error other-warn");
        assertThat(log.change(change("+", "", "", 0))).isEqualTo(new LogSettings(true, true, true, 0, Format.DEFAULT));
        assertThat(logged()).isEqualTo("info warn error other-warn");
        log.change(change("", "", "", 1));
        assertThat(logged()).isEqualTo("debug info warn error other-warn");
        log.change(change("-", "", "", 3));
        assertThat(logged()).isEqualTo("trace debug warn error other-warn");
        log.change(change("+", "-", "", 0));
        assertThat(logged()).isEqualTo("info error other-warn");
        log.change(change("", "", "-", 0));
        assertThat(logged()).isEqualTo("info other-warn");
        log.change(change("-", "", "+", 0));
        assertThat(logged()).isEqualTo("error other-warn");
        log.change(change("", "", "-", 0));
        assertThat(logged()).isEqualTo("other-warn");
        assertThat(log.settings()).isEqualTo(new LogSettings(false, false, false, 0, Format.DEFAULT));
        log.change(change("", "+", "+", 0));
        assertThat(logged()).isEqualTo("warn error other-warn");
    }

    @Test
    void shouldRememberTheLevelThatWasAskedFor() {
        log.change(change("", "", "", 7));
        assertThat(log.settings().verboseLevel()).isEqualTo(7);
        assertThatThrownBy(() -> change("", "", "", -1)).hasMessageContaining("log_verbose_level is -1");
    }

    @Test
    void shouldWriteTimeAsAskedFor() {
        Change iso = new Change(
                Optional.empty(), Optional.empty(), Optional.empty(), OptionalInt.empty(), Optional.of(Format.ISO8601));

        assertThat(log.change(iso).format()).isEqualTo(Format.ISO8601);
        own.warn("now");
        assertThat(lines.toString(StandardCharsets.UTF_8))
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d) WARN {2}Lane: now\n");

        lines.reset();
        log.change(new Change(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalInt.empty(),
                Optional.of(Format.DEFAULT)));
        own.warn("now");
        assertThat(lines.toString(StandardCharsets.UTF_8)).matches("\\d\\d WARN {2}Lane: now\n");
    }

    @Test
    void shouldNotTouchTheFormatOfAnotherProgram() {
        context.getLogger(Logger.ROOT_LOGGER_NAME).detachAndStopAllAppenders();
        Change iso = new Change(
                Optional.of(false),
                Optional.empty(),
                Optional.empty(),
                OptionalInt.empty(),
                Optional.of(Format.ISO8601));

        assertThatThrownBy(() -> log.change(iso))
                .isInstanceOfSatisfying(
                        ManagementException.class,
                        e -> assertThat(e.problem()).isEqualTo(ManagementException.Problem.UNSUPPORTED))
                .hasMessageContaining("log_format");
        assertThat(log.settings().format()).isEqualTo(Format.DEFAULT);
    }

    @Test
    void shouldSayWhenTheProgramLogsOtherwise() {
        LogControl elsewhere = new LogControl(() -> name -> null);

        assertThatThrownBy(elsewhere::settings)
                .isInstanceOf(ManagementException.class)
                .hasMessageContaining("Logback");
    }
}
