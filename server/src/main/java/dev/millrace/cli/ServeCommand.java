// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.memory.MemoryPlan;
import dev.millrace.memory.ProcessMemory;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.redis.RedisOptions;
import dev.millrace.redis.RedisStore;
import dev.millrace.redis.StoreSection;
import dev.millrace.runtime.ModelLifecycle;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.MillraceServer;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.Version;
import dev.millrace.settings.SettingException;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.update.FeedConfig;
import dev.millrace.update.FeedsReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `millrace serve`: serves models over HTTP until it is told to stop.
@Command(
        name = "serve",
        description = "Serves models over HTTP with the Open Inference Protocol V2, until SIGTERM or SIGINT.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Versions.class,
        showDefaultValues = true,
        sortOptions = false)
final class ServeCommand implements Callable<Integer> {
    /// The folder of the checkout, from the launcher.
    static final String HOME = "millrace.home";

    @Option(
            names = "--model-repository",
            paramLabel = "DIR",
            description = "Folder of models, as <model>/<version>/model.onnx; may be given again."
                    + " Without it the example models are served.")
    private List<Path> repositories = List.of();

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration file of the server, in YAML; docs/configuration.md says what may be in it.",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private Path file;

    @Option(names = "--http-host", paramLabel = "HOST", description = "Address to listen on.")
    private String host = ServerConfig.DEFAULT_HOST;

    @Option(names = "--http-port", paramLabel = "PORT", description = "Port to listen on; 0 for any that is free.")
    private int port = ServerConfig.DEFAULT_PORT;

    @Option(
            names = "--grpc-port",
            paramLabel = "PORT",
            description = "Port to answer gRPC on, usually 8001; 0 for any that is free. Without it there is no gRPC.",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private int grpcPort = ServerConfig.NO_PORT;

    @Option(names = "--event-loops", paramLabel = "N", description = "Threads that talk to clients.")
    private int eventLoops = ServerConfig.of().eventLoops();

    @Option(
            names = "--agents",
            paramLabel = "N",
            description = "Threads that run what event loops do not; 0 for as many as the processors"
                    + " that the models' sessions leave.")
    private int agents = RuntimeConfig.DEFAULT.agents();

    @Option(
            names = "--max-batch",
            paramLabel = "ROWS",
            description = "The most rows in one run, for models whose config.pbtxt does not say.")
    private int maxBatch = RuntimeConfig.DEFAULT.maxBatch();

    @Option(
            names = "--queue-rows",
            paramLabel = "ROWS",
            description = "The most rows that wait per model, for models whose config.pbtxt does not say.")
    private int queueRows = RuntimeConfig.DEFAULT.queueRows();

    @Option(
            names = "--client-key",
            paramLabel = "HEADER",
            description = "The request header that tells clients apart for --client-limit."
                    + " Without it the address that they call from does.",
            defaultValue = "",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private String clientKey;

    @Option(
            names = "--memory-limit",
            paramLabel = "BYTES",
            converter = MemoryLimit.class,
            description = "The most native memory for models, their runs and tensors; auto for what the container's or"
                    + " the machine's memory leaves when the JVM has taken all that it may.")
    private Long memoryLimit = RuntimeConfig.DEFAULT.memoryBytes();

    @Option(
            names = "--response-cache-bytes",
            paramLabel = "BYTES",
            description =
                    "The most native memory for answers that are kept, for models whose config.pbtxt asks for that.")
    private long responseCacheBytes = RuntimeConfig.DEFAULT.responseCacheBytes();

    @Option(
            names = "--feature-store",
            paramLabel = "DIR",
            description = "Folder of the feature store that models take stored values from; nobody else can write to it"
                    + " meanwhile.",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private Path featureStore;

    /// Null if no feature store is in Redis.
    private RedisOptions redis;

    @Option(
            names = "--trace-dir",
            paramLabel = "DIR",
            description = "Folder that traces of requests are written to, when somebody asks for them by the trace"
                    + " extension. Without it nothing can be traced.",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private Path traceFolder;

    @Option(names = "--no-recording", description = "Record no latencies and no batch sizes.")
    private boolean noRecording;

    @Option(names = "--no-golden-check", description = "Serve versions whatever they answer to the goldens they bring.")
    private boolean noGoldenCheck;

    @Option(
            names = "--drain-timeout",
            paramLabel = "SECONDS",
            description = "How long requests in flight may take when the server stops.")
    private int drainSeconds = (int) RuntimeConfig.DEFAULT.drainTimeout().toSeconds();

    @Option(
            names = "--shutdown-grace",
            paramLabel = "SECONDS",
            description = "How long it goes on serving after SIGTERM, not being ready, so that balancers notice.")
    private int graceSeconds = 5;

    @Option(names = "--verbose", description = "Tell more on stderr.")
    private boolean verbose;

    @ArgGroup(validate = false, heading = ControlOptions.HEADING)
    private final ControlOptions control = new ControlOptions();

    @Spec
    private CommandSpec spec;

    /// What the configuration file says.
    private List<FeedConfig> updates = List.of();

    private final LimitOptions limits = new LimitOptions();

    /// The options that are not fields of this.
    LimitOptions limits() {
        return limits;
    }

    @Override
    public Integer call() throws InterruptedException {
        Logging.toStandardError(verbose);
        ServerConfig config = config();
        try {
            control.useWorkDirectory();
        } catch (IOException e) {
            return failed(e);
        }
        limitProcess();
        Signals signals = Signals.install(
                () -> spec.commandLine().getErr().println("millrace: told to stop before it was ready"));
        ModelLifecycle lifecycle;
        // It is closed after all who read it.
        try (EmbeddedStore store = openStore();
                RedisStore remote = redis == null ? null : RedisStore.open(redis);
                MillraceServer server = MillraceServer.start(
                        config.withRuntime(
                                config.runtime().withFeatureStore(store).withRemoteStore(remote)),
                        signals::serving)) {
            String broken = names(server.runtime().status(), false);
            if (control.exitsOnError() && !broken.isEmpty()) {
                return failed(new IOException("models cannot be loaded, and --exit-on-error is true: " + broken));
            }
            spec.commandLine().getOut().println(ready(server));
            if (signals.await()) {
                server.leave(Duration.ofSeconds(graceSeconds));
            }
            lifecycle = server.runtime().lifecycle();
        } catch (IOException | UncheckedIOException e) {
            return failed(e);
        } finally {
            signals.done();
        }
        if (lifecycle.isChanging()) {
            // A load that does not end runs in a library that an ordinary exit would unload under it.
            Runtime.getRuntime().halt(CommandLine.ExitCode.OK);
        }
        return CommandLine.ExitCode.OK;
    }

    private EmbeddedStore openStore() throws IOException {
        return featureStore == null ? null : EmbeddedStore.open(featureStore, StoreOptions.DEFAULT);
    }

    private int failed(Exception problem) {
        spec.commandLine().getErr().println("millrace: " + problem.getMessage());
        return CommandLine.ExitCode.SOFTWARE;
    }

    /// What is about the whole process and so is not for libraries: runs are limited, and what large requests leave
    /// behind goes back to the system. Without either no limit would hold what it promises.
    private void limitProcess() {
        ProcessMemory.returnFreedBlocks();
        OrtRuntime.limitAllocations(MemoryPlan.ofServer(memoryLimit).arena());
    }

    /// Reads bytes, or `auto`.
    static final class MemoryLimit implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            if (text.equalsIgnoreCase("auto")) {
                return RuntimeConfig.AUTO_MEMORY;
            }
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException _) {
                throw new TypeConversionException("'" + text + "', expected bytes or auto");
            }
        }
    }

    private ServerConfig config() {
        readFile();
        List<Path> folders = repositories.isEmpty() ? List.of(examples()) : repositories;
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) {
                throw new ParameterException(spec.commandLine(), "model repository " + folder + " is no folder");
            }
        }
        if (graceSeconds < 0) {
            throw new ParameterException(
                    spec.commandLine(), "--shutdown-grace must be 0 seconds or more, was " + graceSeconds);
        }
        if (featureStore != null && !Files.isDirectory(featureStore)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--feature-store " + featureStore + " is no folder; 'millrace features load' makes a store");
        }
        if (traceFolder != null && !Files.isWritable(traceFolder)) {
            throw new ParameterException(
                    spec.commandLine(), "--trace-dir " + traceFolder + " is no folder that can be written to");
        }
        try {
            RuntimeConfig runtime = control.applyTo(RuntimeConfig.DEFAULT
                    .withAgents(agents)
                    .withMaxBatch(maxBatch)
                    .withQueueRows(queueRows)
                    .withMemoryBytes(memoryLimit)
                    .withResponseCacheBytes(responseCacheBytes)
                    .withRecording(!noRecording)
                    .withGoldenCheck(!noGoldenCheck)
                    .withDrainTimeout(Duration.ofSeconds(drainSeconds)));
            return new ServerConfig(
                    folders,
                    host,
                    port,
                    grpcPort,
                    eventLoops,
                    limits.values(),
                    clientKey,
                    runtime,
                    control.values(),
                    traceFolder,
                    updates);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    /// A section of the file is one more reader here.
    private void readFile() {
        if (file == null) {
            return;
        }
        try {
            new ServerFile()
                    .section("feature_store", section -> redis = StoreSection.read(section))
                    .section("updates", value -> updates = FeedsReader.read(value))
                    .read(file);
        } catch (IOException e) {
            throw new ParameterException(spec.commandLine(), "--config " + file + " cannot be read: " + e);
        } catch (SettingException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    private Path examples() {
        String home = System.getProperty(HOME);
        if (home == null) {
            throw new ParameterException(
                    spec.commandLine(), "which models? Give --model-repository, or start with ./millrace for examples");
        }
        return Path.of(home, "models", "zoo");
    }

    private static String ready(MillraceServer server) {
        List<ModelStatus> all = server.runtime().status();
        String served = names(all, true);
        String broken = names(all, false);
        return "Millrace " + Version.number() + " ready at " + server.url()
                + (server.grpcUrl() == null ? "" : " and " + server.grpcUrl())
                + (server.adminUrl() == null ? "" : " and, for changes, " + server.adminUrl()) + " - models: "
                + (served.isEmpty() ? "none" : served)
                + (broken.isEmpty() ? "" : "; not served: " + broken);
    }

    private static String names(List<ModelStatus> all, boolean ready) {
        return all.stream()
                .filter(status -> status.ready() == ready)
                .map(status -> status.model() + ":" + status.version())
                .collect(Collectors.joining(", "));
    }
}
