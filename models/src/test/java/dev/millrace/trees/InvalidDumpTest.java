// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.millrace.onnx.OnnxFile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Dumps that are wrong, or of a kind that is not imported.
class InvalidDumpTest {
    private static final String LIGHTGBM = """
        tree
        version=v4
        num_class=1
        num_tree_per_iteration=1
        label_index=0
        max_feature_idx=2
        objective=binary sigmoid:1
        feature_names=a b c
        tree_sizes=300 200

        Tree=0
        num_leaves=4
        num_cat=1
        split_feature=0 2 1
        threshold=0.5 0 -1e-35
        decision_type=10 1 4
        left_child=1 -1 -3
        right_child=2 -2 -4
        leaf_value=0.25 -0.5 0.125 1
        cat_boundaries=0 2
        cat_threshold=5 2
        is_linear=0
        shrinkage=1


        Tree=1
        num_leaves=1
        num_cat=0
        leaf_value=0.5
        is_linear=0
        shrinkage=1


        end of trees
        """;

    private static final String XGBOOST = """
        {"learner":{"attributes":{},"feature_names":["a","b"],"gradient_booster":{"gbtree":{"model":{
        "gbtree_model_param":{"num_trees":"2"},"tree_info":[0,0],"trees":[
        {"categories":[0,3],"categories_nodes":[2],"categories_segments":[0],"categories_sizes":[2],
        "default_left":[1,0,0,0,0],"id":0,"left_children":[1,-1,3,-1,-1],"right_children":[2,-1,4,-1,-1],
        "split_conditions":[0.5,-0.25,0,1E-1,2.5E-1],"split_indices":[0,0,1,0,0],"split_type":[0,0,1,0,0],
        "tree_param":{"num_nodes":"5","size_leaf_vector":"1"}},
        {"default_left":[false],"left_children":[-1],"right_children":[-1],"split_conditions":[0.5],
        "split_indices":[0]}]},"name":"gbtree"},"name":"dart","weight_drop":[1,0.5]},
        "learner_model_param":{"base_score":"[5E-1]","num_class":"0","num_feature":"2","num_target":"1"},
        "objective":{"name":"binary:logistic"}},"version":[2,1,4]}
        """;

    private static OnnxFile read(boolean lightGbm, byte[] dump) {
        return lightGbm
                ? TreeImport.lightGbm(dump, ImportOptions.DEFAULT)
                : TreeImport.xgboost(dump, ImportOptions.DEFAULT);
    }

    private static OnnxFile read(boolean lightGbm, String dump) {
        return read(lightGbm, dump.getBytes(StandardCharsets.UTF_8));
    }

    private static void assertRefused(boolean lightGbm, String from, String to, String message) {
        String dump = lightGbm ? LIGHTGBM : XGBOOST;
        assertThat(dump).contains(from);
        assertThatThrownBy(() -> read(lightGbm, dump.replaceFirst(Pattern.quote(from), Matcher.quoteReplacement(to))))
                .isInstanceOf(InvalidDumpException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldTakeWhatIsRight() throws IOException {
        for (boolean lightGbm : new boolean[] {true, false}) {
            try (OnnxFile file = read(lightGbm, lightGbm ? LIGHTGBM : XGBOOST)) {
                file.check();
                assertThat(file.graph().nodes()).hasSize(1);
            }
            // As files come from Windows.
            try (OnnxFile file = read(lightGbm, (lightGbm ? LIGHTGBM : XGBOOST).replace("\n", "\r\n"))) {
                assertThat(file.graph().nodes()).hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "left_child=1 -1 -3 | left_child=1 0 -3 | tree 0, node 1 has a child that another node has, too",
                "left_child=1 -1 -3 | left_child=1 -1 1 | tree 0, node 2 has a child that another node has, too",
                "left_child=1 -1 -3 | left_child=1 -1 -9 | 'left_child' of node 2 is -9, expected -4 to 2",
                "left_child=1 -1 -3 | left_child=1 -1 3 | 'left_child' of node 2 is 3, expected -4 to 2",
                "left_child=1 -1 -3 | left_child=1 -1 | tree 0, 'left_child' has 2 numbers, expected 3",
                "left_child=1 -1 -3 | left_child=1 -1 x | tree 0, 'left_child' has 'x', expected a whole number",
                "left_child=1 -1 -3 | left_chill=1 -1 -3 | tree 0 has no 'left_child=', expected it",
                "threshold=0.5 | threshold=nan | tree 0, 'threshold' of node 0 is NaN, expected a number",
                "threshold=0.5 | threshold=0.5f | tree 0, 'threshold' has '0.5f', expected a number",
                "threshold=0.5 0 | threshold=0.5 1 | a split of categories is 1.0, expected a number below 1 that no"
                        + " other",
                "leaf_value=0.25 | leaf_value=inf | tree 0 has a leaf of Infinity, expected a number",
                "leaf_value=0.25 | leaf_value=1e300 | tree 0 has a leaf of 1.0E300, expected a float",
                "num_leaves=4 | num_leaves=2000000000 | tree 0, 'num_leaves' is 2000000000, expected 1 to 1073741823",
                "num_leaves=4 | num_leaves=1000000000 | tree 0, 'leaf_value' has 4 numbers, expected 1000000000",
                "num_leaves=4 | num_leaves=0 | tree 0, 'num_leaves' is 0, expected 1 to",
                "num_cat=1 | num_cat=2000000000 | tree 0, 'cat_boundaries' has 2 numbers, expected 2000000001",
                "cat_boundaries=0 2 | cat_boundaries=0 3 | tree 0, 'cat_threshold' has 2 numbers, expected 3",
                "cat_boundaries=0 2 | cat_boundaries=2 0 | 'cat_boundaries' has 0 in place 1, expected none below",
                "split_feature=0 | split_feature=3 | tree 0, node 0 splits by feature 3, expected one from 0 to 2",
                "is_linear=0 | is_linear=1 | tree 0 is linear, expected leaves that are numbers",
                "tree_sizes=300 200 | tree_sizes=300 | it has 2 trees, expected the 1 of 'tree_sizes'",
                "objective=binary | objective=cross_entropy_lambda | its objective is 'cross_entropy_lambda', expected",
                "objective=binary | objective=multiclass | objective 'multiclass' with 1 trees for each iteration,"
                        + " expected several",
                "sigmoid:1 | sigmoid:-1 | objective has sigmoid:'-1', expected a number above 0",
                "num_tree_per_iteration=1 | num_tree_per_iteration=3 | it has 2 trees, expected 3 for each iteration",
                "num_tree_per_iteration=1 | num_tree_per_iteration=2000000000 | 'num_tree_per_iteration' is 2000000000",
                "max_feature_idx=2 | max_feature_idx=-1 | the header, 'max_feature_idx' is -1, expected 0 to",
                "label_index=0 | version=v4 | the header has 'version' twice, expected it once",
                "Tree=1 | Tree=7 | tree 1 is called '7', expected them one after the other",
                "end of trees | end of tree | after tree 1 came 'end of tree', expected 'end of trees'",
                "tree | {tree | it begins with '{tree', expected 'tree', as LightGBM's save_model writes",
            })
    void shouldRefuseWhatLightGbmDoesNotWrite(String from, String to, String message) {
        assertRefused(true, from, to, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[1,-1,3,-1,-1] | [1,-1,0,-1,-1] | tree 0, node 2 has a child that another node has, too, or that is"
                        + " the root",
                "[1,-1,3,-1,-1] | [1,-1,9,-1,-1] | tree 0, node 2 has a child that is not there",
                "[1,-1,3,-1,-1] | [1,-1,-1,-1,-1] | tree 0, node 2 has a child that is not there",
                "[1,-1,3,-1,-1] | [1,-1,3,-1] | tree 0, 'right_children' has 5 numbers, expected one for each of 4"
                        + " nodes",
                "[1,-1,3,-1,-1] | [1,-1,3.5,-1,-1] | 'left_children' has '3.5', expected a whole number",
                "\"left_children\":[1, | \"left_childres\":[1, | tree 0 has no 'left_children', expected it",
                "[0.5,-0.25 | [NaN,-0.25 | tree 0, 'split_conditions' of node 0 is NaN, expected a number",
                "[0.5,-0.25 | [0.5,NaN | tree 0 has a leaf of NaN, expected a number",
                "\"split_indices\":[0,0,1 | \"split_indices\":[0,0,2 | tree 0, node 2 splits by feature 2, expected"
                        + " one from 0 to 1",
                "\"categories\":[0,3] | \"categories\":[0,-3] | tree 0, node 2 has category -3, expected 0 to 16777215",
                "\"categories\":[0,3] | \"categories\":[0] | the categories of node 2 are 2 from 0 on, expected them"
                        + " from 0 on, of 1",
                "_nodes\":[2] | _nodes\":[7] | tree 0, 'categories_nodes' has 7, expected a node that did not come"
                        + " before",
                "_nodes\":[2] | _nodes\":[1] | tree 0, node 2 splits by categories and is not among 'categories_nodes'",
                "_segments\":[0] | _segments\":[0,0] | 'categories_segments' has 2 numbers and 'categories_sizes' 1,"
                        + " expected",
                "\"size_leaf_vector\":\"1\" | \"size_leaf_vector\":\"3\" | tree 0 has leaves of 3 numbers, expected"
                        + " one",
                "\"name\":\"dart\" | \"name\":\"gblinear\" | its booster is gblinear, which has no trees, expected"
                        + " gbtree or dart",
                "\"name\":\"dart\" | \"name\":\"other\" | its booster is 'other', expected 'gbtree' or 'dart'",
                "\"weight_drop\":[1,0.5] | \"weight_drop\":[1] | 'weight_drop' has 1 numbers, expected one for each of"
                        + " 2 trees",
                "\"tree_info\":[0,0] | \"tree_info\":[0] | 'tree_info' has 1 numbers, expected one for each of 2 trees",
                "\"tree_info\":[0,0] | \"tree_info\":[0,1] | 'tree_info' has 1 for tree 1, expected 0 to 0",
                "\"[5E-1]\" | \"1\" | 'base_score' is 1, expected more than 0 and less than 1",
                "\"[5E-1]\" | \"[5E-1,5E-1]\" | 'base_score' has 2 numbers, expected one or 1",
                "\"[5E-1]\" | \"half\" | 'base_score' has 'half', expected a number",
                "\"num_class\":\"0\" | \"num_class\":\"2000000000\" | it has 2000000000 classes or targets and 2"
                        + " trees, expected",
                "\"num_target\":\"1\" | \"num_target\":\"2\" | it has 2 targets, expected one for binary:logistic",
                "\"num_feature\":\"2\" | \"num_feature\":\"0\" | 'num_feature' is 0, expected 1 or more",
                "binary:logistic | binary:hinge | its objective is 'binary:hinge', expected one of XGBoost's",
                "binary:logistic | multi:softprob | 'num_class' is 0, expected 2 or more for multi:softprob",
                "\"learner\" | \"teacher\" | it has no 'learner', expected what XGBoost's save_model writes",
                "\"attributes\":{} | \"attributes\":{]} | expected '\"', came ']'",
                "\"attributes\":{} | \"attributes\":{\"\\q\":1} | no such escape in a text",
                "\"version\":[2,1,4]} | \"version\":[2,1,4 | expected ',', came the end",
                "\"version\":[2,1,4]} | \"version\":[2,1,4]}} | expected the end, came '}'",
                "{\"learner\" | [\"learner\" | it begins with '[\"learne', expected '{', as XGBoost's save_model"
                        + " writes",
                "{\"learner\" | {L\"learner\" | it is UBJSON, expected JSON",
            })
    void shouldRefuseWhatXgboostDoesNotWrite(String from, String to, String message) {
        assertRefused(false, from, to, message);
    }

    @Test
    void shouldRefuseSeveralQuantiles() throws IOException {
        String one = XGBOOST.replace("binary:logistic", "reg:quantileerror");
        String several = one.replace("\"num_target\":\"1\"", "\"num_target\":\"2\"")
                .replace("\"tree_info\":[0,0]", "\"tree_info\":[0,1]");

        try (OnnxFile file = read(false, one)) {
            assertThat(file.metadata()).containsEntry("objective", "reg:quantileerror");
        }
        assertThatThrownBy(() -> read(false, several))
                .isInstanceOf(InvalidDumpException.class)
                .hasMessage("it has 2 quantiles, which some releases of XGBoost put in order and others do not,"
                        + " expected one for reg:quantileerror");
    }

    @Test
    void shouldRefuseWhatIsNestedTooDeeply() {
        String deep = "{\"learner\":{\"gradient_booster\":" + "{\"gbtree\":".repeat(100_000);

        assertThatThrownBy(() -> read(false, deep))
                .isInstanceOf(InvalidDumpException.class)
                .hasMessageContaining("values are nested deeper than 64");
        assertThatThrownBy(() -> read(false, "{\"a\":" + "[".repeat(100_000)))
                .isInstanceOf(InvalidDumpException.class)
                .hasMessageContaining("values are nested deeper than 64");
    }

    /// ONNX Runtime would call itself for each level.
    @Test
    void shouldRefuseTreesThatAreTooDeep() {
        int inner = 5000;
        StringBuilder left = new StringBuilder();
        StringBuilder right = new StringBuilder();
        for (int i = 0; i < inner; i++) {
            left.append(~i).append(' ');
            right.append(i + 1 < inner ? i + 1 : ~inner).append(' ');
        }
        String tree = "num_leaves=" + (inner + 1) + "\nsplit_feature=" + "0 ".repeat(inner) + "\nthreshold="
                + "1 ".repeat(inner) + "\ndecision_type=" + "0 ".repeat(inner) + "\nleft_child=" + left
                + "\nright_child=" + right + "\nleaf_value=" + "1 ".repeat(inner + 1) + "\n\n";
        String dump = LIGHTGBM.substring(0, LIGHTGBM.indexOf("tree_sizes")) + "\nTree=0\n" + tree + "end of trees\n";

        assertThatThrownBy(() -> read(true, dump))
                .isInstanceOf(InvalidDumpException.class)
                .hasMessageContaining("tree 0 has more than 1000 levels of comparisons, expected less");
    }

    /// A word of ten digits is sixteen intervals.
    @Test
    void shouldRefuseCategoriesThatTakeMuchMoreThanTheFile() {
        int words = 200_000;
        String dump = LIGHTGBM.replace("cat_boundaries=0 2", "cat_boundaries=0 " + words)
                .replace("cat_threshold=5 2", "cat_threshold=" + "1431655765 ".repeat(words))
                .replace("leaf_value=0.25", "leaf_value=0");

        assertThatThrownBy(() -> read(true, dump))
                .isInstanceOf(InvalidDumpException.class)
                .hasMessageContaining("its splits of categories make more than ");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRefuseWhatIsCutOff(boolean lightGbm) {
        byte[] dump = (lightGbm ? LIGHTGBM : XGBOOST).stripTrailing().getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < dump.length; length++) {
            byte[] cut = Arrays.copyOf(dump, length);
            assertThatThrownBy(() -> read(lightGbm, cut)).isInstanceOf(InvalidDumpException.class);
        }
    }

    /// Whatever a dump says, it is imported or refused, and takes no more memory than its size allows.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldTakeOrRefuseWhateverComes(boolean lightGbm) throws IOException {
        SplittableRandom random = new SplittableRandom(lightGbm ? 3 : 4);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        String dump = lightGbm ? LIGHTGBM : XGBOOST;
        int taken = 0;
        long most = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] mutated = mutated(random, dump);
            long before = threads.getCurrentThreadAllocatedBytes();
            try (OnnxFile model = read(lightGbm, mutated)) {
                most = Math.max(most, threads.getCurrentThreadAllocatedBytes() - before);
                model.check();
                taken++;
            } catch (InvalidDumpException e) {
                most = Math.max(most, threads.getCurrentThreadAllocatedBytes() - before);
                assertThat(e.getMessage()).isNotBlank().hasSizeLessThan(300);
            }
        }
        assertThat(taken).isBetween(100, 1900);
        assertThat(most).isLessThan(1 << 20);
    }

    private static byte[] mutated(SplittableRandom random, String dump) {
        StringBuilder text = new StringBuilder(dump);
        String[] pieces = {
            "-1", "0", "9", "2147483648", "1e999", "nan", "[", "]", "{", "}", "\"", ",", " ", "=", "\n", "\u0000"
        };
        for (int i = 0; i <= random.nextInt(3); i++) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(4)) {
                case 0 -> text.insert(at, pieces[random.nextInt(pieces.length)]);
                case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(8)));
                case 2 -> text.setCharAt(at, (char) ('0' + random.nextInt(10)));
                default -> {
                    int from = random.nextInt(text.length());
                    text.insert(at, text.substring(from, Math.min(text.length(), from + random.nextInt(40))));
                }
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
