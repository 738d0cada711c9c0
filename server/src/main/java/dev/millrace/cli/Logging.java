// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import dev.millrace.manage.LogSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the command's log goes. Only the command sets this: who embeds the server has a log of their own.
final class Logging {
    private static final String PATTERN = "%d{HH:mm:ss.SSS} %-5level %logger{0}: %msg%n";

    /// gRPC warns of every client that sends too much. Held, because the JDK forgets loggers that nobody holds.
    private static final java.util.logging.Logger GRPC = java.util.logging.Logger.getLogger("io.grpc");

    private Logging() {}

    /// Logs warnings and errors to stderr; with `verbose` also what the project's own code is about.
    static void toStandardError(boolean verbose) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(PATTERN);
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setName(LogSettings.OWN_APPENDER);
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.WARN);
        context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
        context.getLogger("dev.millrace").setLevel(verbose ? Level.INFO : Level.WARN);
        // Its clients warn every second while a broker is away; feeds tell that themselves, less often.
        context.getLogger("org.apache.kafka").setLevel(verbose ? Level.WARN : Level.ERROR);
        // What becomes of connections to Redis the store tells itself.
        context.getLogger("io.lettuce").setLevel(verbose ? Level.WARN : Level.ERROR);
        GRPC.setLevel(java.util.logging.Level.SEVERE);
    }
}
