// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureSpecTest {
    @TempDir
    Path folder;

    @Test
    void shouldReadAWholeSpecification() {
        FeatureSpec spec = FeatureSpec.parse(SpecTexts.WHOLE, folder);

        assertThat(spec.name()).isEqualTo("fraud_scoring");
        assertThat(spec.version()).isEqualTo(7);
        assertThat(spec.tensor()).isEqualTo("float_input");
        assertThat(spec.columns())
                .containsExactly(
                        "amount_z",
                        "amount_isnull",
                        "country_DE",
                        "country_FR",
                        "country_IT",
                        "hour_sin",
                        "os",
                        "sum",
                        "both",
                        "pair_0",
                        "pair_1",
                        "day",
                        "seen",
                        "no_items",
                        "place_0",
                        "place_1",
                        "kind");
        FeatureView view = spec.views().getFirst();
        assertThat(view.entity()).isEqualTo(new Entity("user", "user_id", ValueType.INT64));
        assertThat(view.ttl()).isEqualTo(Duration.ofHours(2));
        assertThat(view.fields().getFirst().fallback()).isEqualTo(new Literal.Real(0.5));
        Feature first = spec.features().getFirst();
        assertThat(first.transforms()).containsExactly(new Transform.Log1p(), new Transform.Standardize(4.1, 1.7));
        assertThat(first.monitor()).containsEntry("metric", "psi");
        assertThat(first.checks().validations()).hasSize(3);
        assertThat(spec.features().get(6).inputs())
                .containsExactly(
                        new Input(Input.Origin.FEATURE, null, "bucket", ValueKind.INTEGER),
                        new Input(Input.Origin.VIEW, "txn", "country", ValueKind.TEXT));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "x | [{standardize: {mean: 0}}] | 13:31: ~.standardize: came without 'std', expected it",
                "x | [{standardize: {mean: 0, std: -1}}] | 13:46: ~.standardize.std: -1.0 came, expected 0.0 "
                        + "at least",
                "x | [{standardize: {mean: zero, std: 1}}] | 13:38: ~.standardize.mean: 'zero' came, expected "
                        + "a finite number",
                "x | [{standardise: {}}] | 13:17: ~: 'standardise' came, expected one of [standardize,",
                "x | [{clip: {low: 1, high: 0}}] | 13:39: ~.clip.high: 0.0 came, expected 1.0 at least",
                "x | [{clip: {low: 1, high: 2, hi: 3}}] | 13:42: ~.clip.hi: came, expected one of [low, high]",
                "x | [{bucketize: {boundaries: [1, 3, 3], closed: left}}] | 13:49: ~.bucketize.boundaries[2]: "
                        + "'3' came after 3.0, expected boundaries that ascend",
                "x | [{bucketize: {boundaries: [], closed: left}}] | 13:42: ~.bucketize.boundaries: 0 "
                        + "boundaries came, expected 1 at least",
                "x | [{vocab: {values: [a], unknown: 'null'}}] | 13:25: ~.vocab: a number came, expected a "
                        + "text or a whole number",
                "s | [log1p] | 13:17: ~.log1p: a text came, expected a number",
                "s | [] | 13:16: features.y.transform: a text came of it, expected a number: vocab, one_hot "
                        + "or hash make one",
                "t | [{datetime: {part: hour, zone: Mars}}] | 13:47: ~.datetime.zone: 'Mars' came, expected a "
                        + "time zone such as UTC or Europe/Paris",
                "t | [{datetime: {part: century, zone: UTC}}] | 13:35: ~.datetime.part: 'century' came, "
                        + "expected one of [second,",
                "t | [{cyclical: {part: year, zone: UTC, fn: sin}}] | 13:35: ~.cyclical.part: 'year' came, "
                        + "which has no fixed period, expected a period",
                "z | [] | 12:12: features.y.input: 'z' came, expected one of [x, n, s, t, request_time]",
                "[x, n] | [] | 12:12: features.y.input: 2 came, expected one; 'inputs' is for several",
                "s | [{vocab: {values: [a, b, a], unknown: 'null'}}] | 13:41: ~.vocab.values[2]: 'a' came "
                        + "before, expected each category once",
                "s | [{vocab: {values: [a], unknown: hash}}] | 13:25: ~.vocab: came without 'oov_buckets', "
                        + "expected it",
                "s | [{hash: {buckets: 0, algorithm: murmur3_x86_32}}] | 13:34: ~.hash.buckets: '0' came, "
                        + "expected a whole number from 1 to 1073741824",
                "s | [{hash: {buckets: 4, algorithm: md5}}] | 13:48: ~.hash.algorithm: 'md5' came, expected "
                        + "one of [murmur3_x86_32]",
                "s | [{one_hot: {vocab: [a], unknown: ignore, drop: first}}] | 13:27: ~.one_hot: a single "
                        + "category came, which is dropped, expected a column at least",
                "x | [{cross: {buckets: 4, algorithm: murmur3_x86_32}}] | 13:25: ~.cross: 1 values came, "
                        + "expected several inputs, before any other transform",
                "n | [{embed: {table: [[1, 2], [3]]}}] | 13:42: ~.embed.table[1]: 1 numbers came, expected a "
                        + "list of 2, as the first row",
                "x | [{impute: {value: none}}] | 13:34: ~.impute.value: 'none' came, expected a finite number",
            })
    void shouldSayWhereAndWhatIsWrong(String input, String transforms, String problem) {
        FeatureSpecException e = catchThrowableOfType(
                FeatureSpecException.class,
                () -> FeatureSpec.parse(SpecTexts.of(input.strip(), transforms.strip()), folder));

        assertThat(e.problems()).hasSize(1);
        assertThat(e.getMessage()).startsWith("features.yaml:" + problem.replace("~", "features.y.transform[0]"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "[x, n, n] | subtract | 3 values came, expected two",
                "[x, s] | divide | a text came, expected a number",
                "[s, n] | equal | a text and a whole number came, expected two texts or two whole numbers",
                "[x, x] | equal | a number came, expected a text or a whole number",
                "[t, n] | {elapsed: {unit: days}} | a whole number came, expected a time",
                "[t, t] | {elapsed: {unit: weeks}} | 'weeks' came, expected one of [seconds, minutes, hours, days]",
                "[x, n] | log1p | 2 values came, expected one: [concat, cross, subtract, divide, equal, elapsed] make"
                        + " one of several",
            })
    void shouldSayWhichInputsGoTogether(String inputs, String transform, String problem) {
        String text = SpecTexts.of("x", "[" + transform + "]").replace("input: x", "inputs: " + inputs);
        assertThat(catchThrowableOfType(FeatureSpecException.class, () -> FeatureSpec.parse(text, folder))
                        .problems()
                        .getFirst())
                .contains(problem);
    }

    @Test
    void shouldTellAllProblemsAtOnce() {
        String text = SpecTexts.WHOLE
                .replace("std: 1.7", "std: no")
                .replace("ttl: 2h", "ttl: 2 hours")
                .replace("name: items, type: int32", "name: items, type: int16")
                .replace("version: 7", "version: seven\nowner: me")
                .replace("fn: sin", "fn: tan")
                .replace("input: device.os, transform: [{hash", "input: device.model, transform: [{hash");

        assertThatThrownBy(() -> FeatureSpec.parse(text, folder))
                .isInstanceOfSatisfying(FeatureSpecException.class, e -> {
                    assertThat(e.problems()).hasSize(7);
                    assertThat(e.getMessage())
                            .contains(
                                    "features.yaml:4:10: version: 'seven' came, expected a whole number from 0 to",
                                    "features.yaml:5:1: owner: came, expected one of [apiVersion,",
                                    "sources.txn.ttl: '2 hours' came, expected a length of time such as",
                                    "request[2].type: 'int16' came, expected one of [float64,",
                                    "features.amount_z.transform[1].standardize.std: 'no' came, expected a finite"
                                            + " number",
                                    "features.hour_sin.transform[0].cyclical.fn: 'tan' came, expected one of [sin,"
                                            + " cos]",
                                    "features.os.input: 'device.model' came, expected one of [user_id,");
                });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "version: 7 | version: 7;version: 8 | features.yaml:5:1: text: 'version' came before, "
                        + "expected it once",
                "join_keys: [user_id] | join_keys: [a, b] | entities[0].join_keys: 2 join keys came, expected one",
                "join_keys: [user_id] | join_keys: [amount] | 'amount' came, which is float64, expected a "
                        + "field that is int64",
                "entity: user | entity: shop | sources.txn.entity: 'shop' came, expected one of [user]",
                "- {name: amount, type | - {name: user_id, type: int64};  - {name: amount, type | "
                        + "request[1].name: 'user_id' came before, expected it once",
                "name: pair, | name: sum, | features.sum.name: 'sum' came before, expected it once",
                "indicator: no_items | indicator: kind | a second column 'kind' came of it",
                "features.bucket | features.pair | 'features.pair' came, expected one of",
                "on_fail: clip | on_fail: default | on_fail 'default' came, expected that the feature has a default",
                "{finite: true} | {finite: true, on_fail: clip} | 'clip' came, expected it with between only",
                "value: 0.0, indicator | indicator | features.amount_z.treat.missing: came without 'value', "
                        + "expected it",
                "default: 0} | default: 1e300} | '1e300' came, expected a number that a float32 holds",
                "kind: request | kind: request;    ttl: 1h | sources.device.ttl: came, expected none",
                "default: 0} | default: 2, validate: [{between: {min: 0, max: 1}}]} | "
                        + "features.sum.validate[0]: default 2.0 came, expected it from 0.0 to 1.0",
                "output: {tensor: float_input, | output: { | output: came without 'tensor', expected it",
                "apiVersion: v1 | apiVersion: v2 | features.yaml:1:13: apiVersion: 'v2' came, expected one of [v1]",
            })
    void shouldCheckHowThingsFit(String from, String to, String problem) {
        String text = SpecTexts.WHOLE.replace(from.strip(), to.strip().replace(';', '\n'));
        assertThat(text).isNotEqualTo(SpecTexts.WHOLE);

        assertThatThrownBy(() -> FeatureSpec.parse(text, folder))
                .isInstanceOf(FeatureSpecException.class)
                .hasMessageContaining(problem.strip());
    }

    @Test
    void shouldTakeStateFromFilesWhoseHashesFit() throws IOException {
        String stats =
                write("stats.json", "{\"y\": {\"mean\": 1.5,\n \"std\": 2}, \"other\": {\"mean\": 0, \"std\": 1}}");
        String text = SpecTexts.of("x", "[{standardize: {state: '%s'}}]".formatted(stats));
        FeatureSpec spec = FeatureSpec.parse(text, folder);

        assertThat(spec.features().getFirst().transforms()).containsExactly(new Transform.Standardize(1.5, 2));
        assertThat(spec.digest())
                .isEqualTo(sha256(
                        sha256(text) + "  features.yaml\n" + stats.substring(stats.length() - 64) + "  stats.json\n"));

        String words = write("words.txt", "a\nb c\n\nd\r\n");
        FeatureSpec vocab = FeatureSpec.parse(
                SpecTexts.of("s", "[{one_hot: {vocab: '%s', unknown: ignore}}]".formatted(words)), folder);
        assertThat(vocab.columns()).containsExactly("y_a", "y_b c", "y_", "y_d");
    }

    @Test
    void shouldRefuseStateFilesThatAreNotAsSaid() throws IOException {
        String stats = write("stats.json", "{\"y\": {\"mean\": 1.5,\n \"std\": -2}}");
        Files.createDirectory(folder.resolve("v1"));
        Files.writeString(folder.resolve("outside.json"), "{}");
        Files.createSymbolicLink(folder.resolve("v1").resolve("link.json"), folder.resolve("outside.json"));
        String hash = "@sha256:" + sha256("{}");

        assertThat(problem(folder, stats))
                .isEqualTo("stats.json:2:9: features.y.transform[0].standardize.state.y.std: -2.0 came, "
                        + "expected 0.0 at least");
        assertThat(problem(folder, "file:stats.json" + hash)).contains(", expected " + sha256("{}"));
        assertThat(problem(folder, "file:none.json" + hash))
                .contains("'none.json' came, which is no file, expected one");
        assertThat(problem(folder.resolve("v1"), "file:../outside.json" + hash))
                .contains("'../outside.json' came, expected a file in the folder of features.yaml");
        assertThat(problem(folder.resolve("v1"), "file:" + folder.resolve("outside.json") + hash))
                .contains("expected a file in the folder of features.yaml");
        assertThat(problem(folder.resolve("v1"), "file:link.json" + hash))
                .contains("'link.json' came, which leads out of the folder, expected a file in it");
        assertThat(problem(folder, "file:outside.json" + hash)).contains("a file came that says nothing of 'y'");
        assertThat(problem(folder, "file:outside.json")).contains("expected file:NAME@sha256:HEX");
        assertThat(problem(folder, "stats.json")).contains("expected file:NAME@sha256:HEX");
    }

    private static String problem(Path folder, String state) {
        String text = SpecTexts.of("x", "[{standardize: {state: '%s'}}]".formatted(state));
        FeatureSpecException e =
                catchThrowableOfType(FeatureSpecException.class, () -> FeatureSpec.parse(text, folder));
        return e.problems().stream()
                .filter(each -> !each.contains("came without"))
                .findFirst()
                .orElse("none");
    }

    @Test
    void shouldReadTheFileInItsFolder() throws IOException {
        Path file = folder.resolve(FeatureSpec.FILE_NAME);
        Files.writeString(file, SpecTexts.WHOLE);

        assertThat(FeatureSpec.read(file).digest()).isEqualTo(sha256(SpecTexts.WHOLE));

        Files.write(file, new byte[] {'a', ':', ' ', (byte) 0xff});
        assertThatThrownBy(() -> FeatureSpec.read(file))
                .hasMessage("features.yaml:1:1: file: bytes came that are no UTF-8, expected a text");
    }

    @Test
    void shouldNotTakeWhatIsNotASpecification() {
        for (String text : List.of("", "a: 1", "[]", "- a", "features: 3\nrequest: {a: b}\noutput: []\nsources: 1")) {
            assertThatThrownBy(() -> FeatureSpec.parse(text, folder)).isInstanceOf(FeatureSpecException.class);
        }
    }

    private String write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
        return "file:" + name + "@sha256:" + sha256(text);
    }

    static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
