// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads the text that LightGBM saves: lines of `name=value`, first about the ensemble, then for each tree.
///
/// Threads: one per text.
final class LightGbmDump {
    private static final String TREE = "Tree=";
    private static final String END = "end of trees";

    private final String text;
    private int position;

    LightGbmDump(String text) {
        this.text = text;
    }

    /// The lines of a part, by name.
    private record Part(String name, Map<String, String> lines) {
        String get(String line) {
            String value = lines.get(line);
            if (value == null) {
                throw new InvalidDumpException(name + " has no '" + line + "=', expected it");
            }
            return value;
        }

        int count(String line, int least, int most) {
            int value = integer(line, get(line));
            if (value < least || value > most) {
                throw new InvalidDumpException(
                        name + ", '" + line + "' is " + value + ", expected " + least + " to " + most);
            }
            return value;
        }

        private int integer(String line, String number) {
            try {
                return Integer.parseInt(number);
            } catch (NumberFormatException _) {
                throw unlike(line, number, "a whole number");
            }
        }

        private InvalidDumpException unlike(String line, String came, String expected) {
            return new InvalidDumpException(
                    name + ", '" + line + "' has " + DumpText.shown(came) + ", expected " + expected);
        }

        /// The numbers of a line, of which there have to be so many.
        private String[] split(String line, int count) {
            String value = count == 0 ? lines.getOrDefault(line, "") : get(line);
            String[] numbers = value.isBlank() ? new String[0] : value.strip().split(" +");
            if (numbers.length != count) {
                throw new InvalidDumpException(
                        name + ", '" + line + "' has " + numbers.length + " numbers, expected " + count);
            }
            return numbers;
        }

        int[] integers(String line, int count) {
            String[] numbers = split(line, count);
            int[] integers = new int[numbers.length];
            for (int i = 0; i < numbers.length; i++) {
                integers[i] = integer(line, numbers[i]);
            }
            return integers;
        }

        int[] words(String line, int count) {
            String[] numbers = split(line, count);
            int[] words = new int[numbers.length];
            for (int i = 0; i < numbers.length; i++) {
                try {
                    words[i] = Integer.parseUnsignedInt(numbers[i]);
                } catch (NumberFormatException _) {
                    throw unlike(line, numbers[i], "32 bits");
                }
            }
            return words;
        }

        double[] reals(String line, int count) {
            String[] numbers = split(line, count);
            double[] reals = new double[numbers.length];
            for (int i = 0; i < numbers.length; i++) {
                try {
                    reals[i] = DumpText.real(numbers[i]);
                } catch (NumberFormatException _) {
                    throw unlike(line, numbers[i], "a number");
                }
            }
            return reals;
        }
    }

    Ensemble read() {
        String first = line();
        if (first == null || !first.equals("tree")) {
            throw new InvalidDumpException("it begins with " + DumpText.shown(first == null ? "" : first)
                    + ", expected 'tree', as LightGBM's save_model writes");
        }
        Part header = part("the header");
        int features = header.count("max_feature_idx", 0, Integer.MAX_VALUE - 1) + 1;
        int groups = header.count("num_tree_per_iteration", 1, text.length());
        List<DecisionTree> trees = new ArrayList<>();
        while (text.startsWith(TREE, position)) {
            String name = "tree " + trees.size();
            String number = line().substring(TREE.length());
            if (!number.equals(Integer.toString(trees.size()))) {
                throw new InvalidDumpException(
                        name + " is called " + DumpText.shown(number) + ", expected them one after the other");
            }
            trees.add(tree(part(name), trees.size() % groups).check(features));
        }
        String last = line();
        if (last == null || !last.equals(END)) {
            throw new InvalidDumpException("after tree " + (trees.size() - 1) + " came "
                    + (last == null ? "the end" : DumpText.shown(last)) + ", expected '" + END + "'");
        }
        checkCount(header, trees.size(), groups);
        return ensemble(header, features, groups, trees);
    }

    private static void checkCount(Part header, int trees, int groups) {
        if (trees == 0 || trees % groups != 0) {
            throw new InvalidDumpException("it has " + trees + " trees, expected " + groups
                    + " for each iteration, and one iteration at least");
        }
        String sizes = header.lines().get("tree_sizes");
        int sized =
                sizes == null ? trees : header.split("tree_sizes", sizes.strip().split(" +").length).length;
        if (sized != trees) {
            throw new InvalidDumpException("it has " + trees + " trees, expected the " + sized + " of 'tree_sizes'");
        }
    }

    private static Ensemble ensemble(Part header, int features, int groups, List<DecisionTree> trees) {
        String text = header.lines().getOrDefault("objective", "");
        Objective objective = Objective.of(text, groups);
        boolean average = header.lines().containsKey("average_output");
        String names = header.lines().getOrDefault("feature_names", "");
        List<String> known = names.isBlank() ? List.of() : Arrays.asList(names.split(" "));
        return new Ensemble(
                "LightGBM",
                text.isEmpty() ? "none" : text,
                features,
                known.size() == features ? known : List.of(),
                true,
                objective.link(),
                average ? (double) groups / trees.size() : 1,
                objective.steepness(),
                new float[groups],
                trees);
    }

    /// What a model does with its sums.
    ///
    /// @param steepness what they are multiplied by before
    private record Objective(Link link, double steepness) {
        static Objective of(String text, int groups) {
            String[] words = text.strip().split(" +");
            Map<String, String> settings = new HashMap<>();
            for (String word : words) {
                int colon = word.indexOf(':');
                settings.put(colon < 0 ? word : word.substring(0, colon), word.substring(colon + 1));
            }
            Link link = link(words[0], settings.containsKey("sqrt"));
            boolean several = link == Link.SOFTMAX || link == Link.ONE_VS_ALL;
            if (several ? groups < 2 : (groups > 1 && link != Link.NONE)) {
                throw new InvalidDumpException("objective '" + words[0] + "' with " + groups
                        + " trees for each iteration, expected " + (groups < 2 ? "several" : "one"));
            }
            double steepness = 1;
            if (settings.containsKey("sigmoid")) {
                steepness = steepness(settings.get("sigmoid"));
            }
            return new Objective(link, steepness);
        }

        private static double steepness(String text) {
            try {
                double steepness = DumpText.real(text);
                if (steepness > 0 && Double.isFinite(steepness)) {
                    return steepness;
                }
            } catch (NumberFormatException _) {
                // said below
            }
            throw new InvalidDumpException(
                    "objective has sigmoid:" + DumpText.shown(text) + ", expected a number above 0");
        }

        private static Link link(String name, boolean root) {
            return switch (name) {
                // Those that learn from roots if they are told to; huber never is.
                case "regression", "regression_l1", "fair", "quantile", "mape" -> root ? Link.SQUARE : Link.NONE;
                case "", "custom", "none", "huber", "lambdarank", "rank_xendcg" -> Link.NONE;
                case "poisson", "gamma", "tweedie" -> Link.EXP;
                case "binary" -> Link.BINARY;
                case "cross_entropy" -> Link.LOGISTIC;
                case "multiclass" -> Link.SOFTMAX;
                case "multiclassova" -> Link.ONE_VS_ALL;
                default ->
                    throw new InvalidDumpException("its objective is " + DumpText.shown(name)
                            + ", expected one of LightGBM's, but for cross_entropy_lambda, which is not imported");
            };
        }
    }

    /// Lines up to an empty one, or to one that is not a name with a value.
    private Part part(String name) {
        Map<String, String> lines = new HashMap<>();
        while (position < text.length()) {
            int before = position;
            String line = line();
            int equal = line.indexOf('=');
            if (line.isEmpty() || line.startsWith(TREE) || line.equals(END)) {
                if (!line.isEmpty()) {
                    position = before;
                } else if (!lines.isEmpty()) {
                    skipEmptyLines();
                }
                return new Part(name, lines);
            }
            String key = equal < 0 ? line : line.substring(0, equal);
            if (lines.put(key, equal < 0 ? "" : line.substring(equal + 1)) != null) {
                throw new InvalidDumpException(name + " has " + DumpText.shown(key) + " twice, expected it once");
            }
        }
        return new Part(name, lines);
    }

    private void skipEmptyLines() {
        while (position < text.length() && "\r\n".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
    }

    /// The next line without its end; null at the end of the text.
    private String line() {
        if (position >= text.length()) {
            return null;
        }
        int end = text.indexOf('\n', position);
        int next = end < 0 ? text.length() : end;
        String line = text.substring(position, next > position && text.charAt(next - 1) == '\r' ? next - 1 : next);
        position = next + 1;
        return line;
    }

    /// A tree of n leaves, whose nodes here are its splits and after them its leaves.
    private static DecisionTree tree(Part part, int group) {
        if (!part.lines().getOrDefault("is_linear", "0").equals("0")) {
            throw new InvalidDumpException(part.name() + " is linear, expected leaves that are numbers");
        }
        int leaves = part.count("num_leaves", 1, Integer.MAX_VALUE / 2);
        double[] values = part.reals("leaf_value", leaves);
        int inner = leaves - 1;
        int[] features = part.integers("split_feature", inner);
        double[] thresholds = part.reals("threshold", inner);
        int[] decisions = part.integers("decision_type", inner);
        Categories categories = Categories.of(part);
        Split[] splits = new Split[inner + leaves];
        for (int i = 0; i < inner; i++) {
            if (LightGbmSplits.isCategorical(decisions[i])) {
                splits[i] = categories.split(features[i], thresholds[i]);
            } else if (Double.isNaN(thresholds[i])) {
                throw new InvalidDumpException(
                        part.name() + ", 'threshold' of node " + i + " is NaN, expected a number");
            } else {
                splits[i] = LightGbmSplits.numeric(features[i], thresholds[i], decisions[i]);
            }
        }
        double[] all = new double[inner + leaves];
        System.arraycopy(values, 0, all, inner, leaves);
        return new DecisionTree(
                part.name(),
                group,
                splits,
                children(part, "left_child", inner),
                children(part, "right_child", inner),
                all);
    }

    /// Leaves have numbers below zero.
    private static int[] children(Part part, String line, int inner) {
        int[] children = part.integers(line, inner);
        for (int i = 0; i < inner; i++) {
            int child = children[i];
            if (child < -inner - 1 || child >= inner) {
                throw new InvalidDumpException(part.name() + ", '" + line + "' of node " + i + " is " + child
                        + ", expected " + (-inner - 1) + " to " + (inner - 1));
            }
            children[i] = child < 0 ? inner + ~child : child;
        }
        return children;
    }

    /// The sets of categories of a tree.
    ///
    /// @param bounds where each begins among the words
    /// @param used which of them belong to a node; each has to belong to one
    private record Categories(String tree, int[] bounds, int[] words, boolean[] used) {
        static Categories of(Part part) {
            int count = part.lines().containsKey("num_cat") ? part.count("num_cat", 0, Integer.MAX_VALUE - 1) : 0;
            if (count == 0) {
                return new Categories(part.name(), new int[1], new int[0], new boolean[0]);
            }
            int[] bounds = part.integers("cat_boundaries", count + 1);
            for (int i = 0; i <= count; i++) {
                if (bounds[i] < 0 || (i > 0 && bounds[i] < bounds[i - 1])) {
                    throw new InvalidDumpException(part.name() + ", 'cat_boundaries' has " + bounds[i] + " in place "
                            + i + ", expected none below the one before");
                }
            }
            return new Categories(part.name(), bounds, part.words("cat_threshold", bounds[count]), new boolean[count]);
        }

        Split split(int feature, double threshold) {
            int set = (int) threshold;
            if (set != threshold || set < 0 || set >= used.length || used[set]) {
                throw new InvalidDumpException(tree + ", 'threshold' of a split of categories is " + threshold
                        + ", expected a number below " + used.length + " that no other split has");
            }
            used[set] = true;
            return LightGbmSplits.categorical(feature, words, bounds[set], bounds[set + 1]);
        }
    }
}
