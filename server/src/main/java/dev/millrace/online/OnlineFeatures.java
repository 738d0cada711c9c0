// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.online.FeatureAnswer.Feature;
import dev.millrace.protocol.Refusal;
import dev.millrace.raw.ModelFeatures;
import dev.millrace.redis.ReadBy;
import dev.millrace.redis.RedisOptions;
import dev.millrace.redis.RedisStore;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.spec.FeatureView;
import dev.millrace.store.FeatureStore;
import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Answers requests for stored features, and takes rows for them, as Feast's server does: `POST
/// /get-online-features` and `POST /push`.
///
/// A feature service is a model that is asked by raw values: its features are the stored ones that
/// it uses. Values are older than they may be if they are older than the shortest `ttl` that a
/// served model has for their view.
///
/// Threads: any.
public final class OnlineFeatures {
    /// The most values that an answer may have.
    static final int MAX_VALUES = 1 << 18;

    /// The most bytes that a request may have.
    public static final int MAX_REQUEST_BYTES = 1 << 23;

    private static final int SMALL_REQUEST_BYTES = 1 << 12;
    /// So many are written while others wait.
    private static final long SMALL_ANSWER_VALUES = 2_000;
    /// What a byte of a request takes when it is read: an object for each value.
    private static final int BYTES_PER_BYTE = 16;

    /// What a value takes in an answer and on the way there, about: itself, its status and its time, twice.
    private static final long VALUE_BYTES = 160;
    /// Texts may be longer.
    private static final int TEXT_COPIES = 2;

    private static final Pattern VERSIONED = Pattern.compile("@v([1-9][0-9]*)$");
    private static final long MICROS = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;
    private static final int MICROS_PER_MILLI = 1_000;

    /// What is at hand; or null.
    private final FeatureStore store;
    /// Where all other views are; or null.
    private final RedisStore redis;
    private final Supplier<List<ModelFeatures>> models;
    private final MemoryBudget heap;
    private final InstantSource clock;

    /// A view of the request.
    ///
    /// @param name as the store knows it
    /// @param view where its rows are; null if they are in Redis
    /// @param columns where they go to
    private record Asked(String name, View view, FeatureColumns columns) {}

    /// Answers from a runtime's store.
    ///
    /// @param millrace whose models are services, and in whose budget answers are booked while they are made
    /// @param config what it was opened with
    public OnlineFeatures(Millrace millrace, RuntimeConfig config, InstantSource clock) {
        this.store = config.featureStore().orElse(null);
        // Of others nothing is known but what models need.
        this.redis = config.remoteStore().orElse(null) instanceof RedisStore opened ? opened : null;
        this.models = millrace::features;
        this.heap = millrace.memory().heap();
        this.clock = clock;
    }

    /// Whether a request is worked on so shortly that others may wait for that; beside the loop otherwise.
    public static boolean isSmall(int bytes) {
        return bytes <= SMALL_REQUEST_BYTES;
    }

    /// Takes from the heap what a larger request takes while it is answered.
    ///
    /// @param what it is called
    /// @return what to [#release(long)]
    /// @throws Refusal if it has more than [#MAX_REQUEST_BYTES]
    public long reserve(String what, int bytes) {
        if (bytes > MAX_REQUEST_BYTES) {
            throw new Refusal(
                    Outcome.TOO_LARGE,
                    what + " has " + bytes + " bytes, expected at most " + MAX_REQUEST_BYTES + " here");
        }
        long taken = (long) BYTES_PER_BYTE * bytes;
        heap.reserve(MemoryTag.BODY, taken);
        return taken;
    }

    /// Gives back what was taken.
    public void release(long taken) {
        heap.release(MemoryTag.BODY, taken);
    }

    /// Answers a request.
    ///
    /// @param body in JSON
    /// @return ends on any thread; with a [Refusal] if it cannot be answered
    /// @throws Refusal if it is wrong, or there is no such thing
    public CompletableFuture<byte[]> answer(byte[] body) {
        requireStore();
        return answer(FeatureRequestReader.request(body), JsonAnswer::bytes);
    }

    /// Answers a request.
    ///
    /// @param message Feast's `GetOnlineFeaturesRequest`, as it is on the wire
    /// @return its `GetOnlineFeaturesResponse`, on any thread; or a [Refusal] if it cannot be answered
    /// @throws Refusal if it is wrong, or there is no such thing
    public CompletableFuture<byte[]> answerWire(byte[] message) {
        requireStore();
        return answer(WireFeatureRequest.request(message), WireAnswer::bytes);
    }

    private CompletableFuture<byte[]> answer(FeatureRequest request, Function<FeatureAnswer, byte[]> encoder) {
        List<String> references = request.references() == null ? service(request.service()) : request.references();
        long values =
                (long) request.rows() * (references.size() + request.entities().size());
        if (values > MAX_VALUES) {
            throw new Refusal(
                    Outcome.TOO_LARGE,
                    values + " values were asked for, expected at most " + MAX_VALUES + ": rows, times features and"
                            + " join keys");
        }
        Map<String, Asked> views = new LinkedHashMap<>();
        List<Feature> features = new ArrayList<>();
        for (String reference : references) {
            features.add(feature(reference, request.fullNames(), views));
        }
        requireDifferentNames(request, features);
        long bytes = values * VALUE_BYTES;
        RedisRows far = new RedisRows(redis);
        for (Asked asked : views.values()) {
            bytes += (long) TEXT_COPIES * request.rows() * asked.columns().textBytes();
        }
        long booked = bytes;
        heap.reserve(MemoryTag.ANSWER, booked);
        return read(request, views.values(), far, features, encoder)
                .whenComplete((_, _) -> heap.release(MemoryTag.ANSWER, booked));
    }

    /// What is at hand is answered at once, and what is wrong is found out, too.
    private CompletableFuture<byte[]> read(
            FeatureRequest request,
            Collection<Asked> views,
            RedisRows far,
            List<Feature> features,
            Function<FeatureAnswer, byte[]> encoder) {
        try {
            long now = now();
            views.forEach(asked -> read(request, asked, now, far));
            FeatureAnswer answer = new FeatureAnswer(request.entities(), features);
            return far.isEmpty()
                    ? CompletableFuture.completedFuture(encoder.apply(answer))
                    : readFar(request, far, answer, encoder);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /// What is small is read and written on the event loop that was asked, if it was one.
    private CompletableFuture<byte[]> readFar(
            FeatureRequest request, RedisRows far, FeatureAnswer answer, Function<FeatureAnswer, byte[]> encoder) {
        boolean small = (long) request.rows() * answer.features().size() <= SMALL_ANSWER_VALUES;
        return small
                ? far.read(ReadBy.CALLER).thenApply(bytes -> encode(bytes, answer, encoder))
                : far.read(ReadBy.OTHERS)
                        .thenApplyAsync(bytes -> encode(bytes, answer, encoder), Thread::startVirtualThread);
    }

    /// How long the values are is known when they are here.
    private byte[] encode(long valueBytes, FeatureAnswer answer, Function<FeatureAnswer, byte[]> encoder) {
        long bytes = TEXT_COPIES * valueBytes;
        heap.reserve(MemoryTag.ANSWER, bytes);
        try {
            return encoder.apply(answer);
        } finally {
            heap.release(MemoryTag.ANSWER, bytes);
        }
    }

    /// Reads rows that are at hand; others are asked for.
    private void read(FeatureRequest request, Asked asked, long now, RedisRows far) {
        asked.columns().begin(request.rows(), now);
        if (asked.view() == null) {
            far.add(asked.name(), joinKeys(request, asked.name()), request, asked.columns());
        } else {
            StoreRows.read(asked.view(), keys(request, asked.view()), asked.columns());
        }
    }

    /// The join keys of a view in Redis: as it is declared, as a served model has it, or the only one of the request.
    private List<String> joinKeys(FeatureRequest request, String view) {
        RedisOptions.DeclaredView declared = redis.options().views().get(view);
        List<String> keys = declared == null ? List.of() : declared.joinKeys();
        if (keys.isEmpty()) {
            keys = models.get().stream()
                    .flatMap(model -> stored(model).stream())
                    .filter(each -> each.name().equals(view))
                    .map(each -> List.of(each.entity().joinKey()))
                    .findFirst()
                    .orElse(List.of());
        }
        if (keys.isEmpty() && request.entities().size() == 1) {
            return List.copyOf(request.entities().keySet());
        }
        if (keys.isEmpty()) {
            throw Refusal.invalid("entities has " + request.entities().keySet() + ", expected one join key: neither a"
                    + " served model nor the configuration says which are those of view '" + view + "'");
        }
        for (String key : keys) {
            if (!request.entities().containsKey(key)) {
                throw noKey(request, key, view);
            }
        }
        return keys;
    }

    private static Refusal noKey(FeatureRequest request, String key, String view) {
        return Refusal.invalid(
                "entities has " + request.entities().keySet() + ", expected '" + key + "' for view '" + view + "'");
    }

    /// Writes rows to a view, `POST /push`; returns when they are as durable as the store promises.
    ///
    /// @param body in JSON
    /// @return an object that tells how many rows there were
    /// @throws Refusal if any of it is wrong, or there is no such view; then nothing is written
    /// @throws IOException if the store cannot be written
    public byte[] push(byte[] body) throws IOException {
        requireStore();
        if (store == null) {
            throw Refusal.unsupported("rows cannot be pushed: the feature store is in Redis, which others fill");
        }
        Push push = PushReader.push(body);
        WriteBatch batch = new PushedRows(push, view(push.view()), now()).batch();
        if (batch.rows() > 0) {
            store.write(batch);
        }
        return new JsonWriter().raw("{\"rows\":").number(batch.rows()).raw('}').toBytes();
    }

    private void requireStore() {
        if (store == null && redis == null) {
            throw new Refusal(
                    Outcome.NOT_FOUND,
                    "this server has no feature store, expected that --feature-store or the configuration file names"
                            + " one");
        }
    }

    private long now() {
        return clock.millis() * MICROS_PER_MILLI;
    }

    private View view(String name) {
        try {
            return store.view(name);
        } catch (IllegalArgumentException e) {
            throw new Refusal(Outcome.NOT_FOUND, e.getMessage());
        }
    }

    private Feature feature(String reference, boolean fullNames, Map<String, Asked> views) {
        int colon = reference.indexOf(':');
        if (colon < 1 || colon == reference.length() - 1) {
            throw Refusal.invalid("feature '" + reference + "' came, expected view:feature");
        }
        String name = reference.substring(0, colon);
        String field = reference.substring(colon + 1);
        FeatureColumns columns = views.computeIfAbsent(name, this::open).columns();
        if (columns.schema() != null && !columns.schema().has(field)) {
            throw new Refusal(
                    Outcome.NOT_FOUND,
                    "view '" + name + "' has no feature '" + field + "', but "
                            + columns.schema().fields().stream()
                                    .map(each -> each.name())
                                    .toList());
        }
        return new Feature(fullNames ? name + "__" + field : field, columns, columns.add(field));
    }

    private Asked open(String reference) {
        if (redis != null && !isAtHand(reference)) {
            String name = versioned(reference);
            return new Asked(name, null, new FeatureColumns(null, maxAgeMicros(name)));
        }
        View view = view(reference);
        return new Asked(reference, view, new FeatureColumns(view.schema(), maxAgeMicros(reference)));
    }

    private boolean isAtHand(String view) {
        return store != null
                && store.views().stream().anyMatch(each -> each.schema().name().equals(view));
    }

    /// What Feast stores a view's version as, which requests call `view@v2`.
    private static String versioned(String reference) {
        return VERSIONED.matcher(reference).replaceFirst("_v$1");
    }

    /// The shortest of all models' that are served, and of what is declared.
    private long maxAgeMicros(String view) {
        Stream<Duration> models = this.models.get().stream()
                .flatMap(model -> stored(model).stream())
                .filter(each -> each.name().equals(view))
                .map(FeatureView::ttl);
        RedisOptions.DeclaredView declared =
                redis == null ? null : redis.options().views().get(view);
        return Stream.concat(models, Stream.ofNullable(declared).map(RedisOptions.DeclaredView::ttl))
                .filter(Objects::nonNull)
                .mapToLong(ttl -> ttl.toSeconds() * MICROS + ttl.toNanosPart() / NANOS_PER_MICRO)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private static List<FeatureView> stored(ModelFeatures model) {
        return model.spec().views().stream()
                .filter(view -> view.kind() == FeatureView.Kind.STORE)
                .toList();
    }

    /// The features that a model uses, in the order of its specification.
    private List<String> service(String name) {
        List<ModelFeatures> all = models.get();
        ModelFeatures newest = null;
        for (ModelFeatures model : all) {
            boolean newer = newest == null || model.version() > newest.version();
            newest = model.model().equals(name) && newer ? model : newest;
        }
        if (newest == null) {
            throw new Refusal(
                    Outcome.NOT_FOUND,
                    "there is no feature service '" + name + "', but "
                            + all.stream().map(ModelFeatures::model).distinct().toList()
                            + ": the models that are asked by raw values");
        }
        List<String> references = new ArrayList<>();
        for (FeatureView view : stored(newest)) {
            view.fields().forEach(field -> references.add(view.name() + ":" + field.name()));
        }
        return references;
    }

    private static void requireDifferentNames(FeatureRequest request, List<Feature> features) {
        Set<String> names = new HashSet<>(request.entities().keySet());
        for (Feature feature : features) {
            if (!names.add(feature.name())) {
                throw Refusal.invalid("two features or join keys are called '" + feature.name() + "'"
                        + (request.fullNames() ? "" : ", expected full_feature_names"));
            }
        }
    }

    private static List<Object> keys(FeatureRequest request, View view) {
        String key = view.schema().key().name();
        List<Object> values = request.entities().get(key);
        if (values == null) {
            throw noKey(request, key, view.schema().name());
        }
        return values;
    }
}
