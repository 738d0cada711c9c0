// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.spi.FilterReply;
import dev.millrace.manage.LogSettings.Format;
import dev.millrace.manage.ManagementException.Problem;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/// Reads and changes what the project's own loggers log. It is the process's log: all servers in it share it, and what
/// libraries log stays as it is.
///
/// Levels of the extension are independent of each other, Logback's are steps of a ladder: the logger's level is the
/// lowest that is wanted, and a filter passes over those above it that are not.
///
/// Threads: any; one at a time changes.
final class LogControl {
    private static final String OWN = "dev.millrace";
    private static final Pattern TIME = Pattern.compile("%d(ate)?(\\{[^}]*})?");
    private static final String ISO8601 = "%d{\"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\"}";
    private static final Object LOCK = new Object();

    /// Passes over levels that are not wanted, and remembers what was asked for.
    private static final class Wanted extends TurboFilter {
        private volatile LogSettings settings;
        /// Of the server's own appender, before its format was changed; null if it was not.
        private String pattern;

        Wanted(LogSettings settings) {
            this.settings = settings;
        }

        @Override
        public FilterReply decide(
                Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
            LogSettings now = settings;
            boolean passedOver = switch (level.levelInt) {
                case Level.INFO_INT -> !now.info();
                case Level.WARN_INT -> !now.warning();
                case Level.ERROR_INT -> !now.error();
                default -> false;
            };
            return passedOver && isOwn(logger.getName()) ? FilterReply.DENY : FilterReply.NEUTRAL;
        }

        private static boolean isOwn(String name) {
            return name.startsWith(OWN) && (name.length() == OWN.length() || name.charAt(OWN.length()) == '.');
        }
    }

    private final Supplier<ILoggerFactory> factory;

    LogControl() {
        this(LoggerFactory::getILoggerFactory);
    }

    /// @param factory what makes the loggers
    LogControl(Supplier<ILoggerFactory> factory) {
        this.factory = factory;
    }

    LogSettings settings() {
        synchronized (LOCK) {
            return settings(context());
        }
    }

    private static LogSettings settings(LoggerContext context) {
        Wanted wanted = wanted(context);
        if (wanted != null) {
            return wanted.settings;
        }
        Level level = context.getLogger(OWN).getEffectiveLevel();
        int verbose = level.levelInt <= Level.TRACE_INT ? 2 : level.levelInt <= Level.DEBUG_INT ? 1 : 0;
        return new LogSettings(
                level.levelInt <= Level.INFO_INT,
                level.levelInt <= Level.WARN_INT,
                level.levelInt <= Level.ERROR_INT,
                verbose,
                Format.DEFAULT);
    }

    private static Wanted wanted(LoggerContext context) {
        for (TurboFilter filter : context.getTurboFilterList()) {
            if (filter instanceof Wanted wanted) {
                return wanted;
            }
        }
        return null;
    }

    LogSettings change(LogSettings.Change change) {
        synchronized (LOCK) {
            LoggerContext context = context();
            LogSettings before = settings(context);
            LogSettings after = before.with(change);
            List<PatternLayoutEncoder> encoders = before.format() == after.format() ? List.of() : encoders(context);
            Wanted wanted = wanted(context);
            if (wanted == null) {
                wanted = new Wanted(after);
                wanted.setContext(context);
                wanted.start();
                context.addTurboFilter(wanted);
            }
            for (PatternLayoutEncoder encoder : encoders) {
                format(encoder, after.format(), wanted);
            }
            wanted.settings = after;
            context.getLogger(OWN).setLevel(level(after));
            return after;
        }
    }

    private static void format(PatternLayoutEncoder encoder, Format format, Wanted wanted) {
        if (wanted.pattern == null) {
            wanted.pattern = encoder.getPattern();
        }
        encoder.setPattern(
                format == Format.DEFAULT
                        ? wanted.pattern
                        : TIME.matcher(wanted.pattern).replaceFirst(Matcher.quoteReplacement(ISO8601)));
        encoder.start();
    }

    private static Level level(LogSettings settings) {
        if (settings.verboseLevel() > 0) {
            return settings.verboseLevel() > 1 ? Level.TRACE : Level.DEBUG;
        }
        if (settings.info()) {
            return Level.INFO;
        }
        if (settings.warning()) {
            return Level.WARN;
        }
        return settings.error() ? Level.ERROR : Level.OFF;
    }

    /// What writes the server's own log; an embedding program's is not for its clients to change.
    private static List<PatternLayoutEncoder> encoders(LoggerContext context) {
        List<PatternLayoutEncoder> encoders = new ArrayList<>();
        Iterator<Appender<ILoggingEvent>> appenders =
                context.getLogger(Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
        while (appenders.hasNext()) {
            if (appenders.next() instanceof OutputStreamAppender<ILoggingEvent> appender
                    && LogSettings.OWN_APPENDER.equals(appender.getName())
                    && appender.getEncoder() instanceof PatternLayoutEncoder encoder) {
                encoders.add(encoder);
            }
        }
        if (encoders.isEmpty()) {
            throw new ManagementException(
                    Problem.UNSUPPORTED,
                    "log_format cannot be changed: the log is that of the program that the server is part of");
        }
        return encoders;
    }

    private LoggerContext context() {
        if (factory.get() instanceof LoggerContext context) {
            return context;
        }
        throw new ManagementException(
                Problem.UNSUPPORTED, "the log's settings are not known: this process does not log by Logback");
    }
}
