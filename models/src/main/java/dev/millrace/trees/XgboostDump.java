// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.ArrayList;
import java.util.List;

/// Reads the JSON that XGBoost saves. The fields of each object may come in any order.
///
/// Threads: one per text.
final class XgboostDump {
    /// What a value of UBJSON may begin with, where JSON has a quote or a blank.
    private static final String UBJSON = "iUIlLSH$#";

    private final JsonDump json;
    private final List<XgboostTree> trees = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private boolean learned;
    private boolean hasTrees;
    private int[] groupOfTree = {};
    private float[] weights;
    private String booster = "";
    private String objective = "";
    private String base = "0.5";
    private int features = -1;
    private int classes;
    private int targets = 1;

    private XgboostDump(JsonDump json) {
        this.json = json;
    }

    static Ensemble read(byte[] bytes) {
        if (bytes.length > 1 && bytes[0] == '{' && UBJSON.indexOf(bytes[1]) >= 0) {
            throw new InvalidDumpException("it is UBJSON, expected JSON: save_model writes it to a name in .json");
        }
        String text = DumpText.text(bytes);
        if (!text.stripLeading().startsWith("{")) {
            throw new InvalidDumpException("it begins with "
                    + DumpText.shown(text.substring(0, Math.min(8, text.length())))
                    + ", expected '{', as XGBoost's save_model writes to a name in .json");
        }
        XgboostDump dump = new XgboostDump(new JsonDump(text));
        dump.file();
        return dump.ensemble();
    }

    private void file() {
        json.object(name -> {
            if (name.equals("learner")) {
                learned = true;
                json.object(this::learner);
            } else {
                json.skip();
            }
        });
        json.end();
    }

    private void learner(String name) {
        switch (name) {
            case "learner_model_param" -> json.object(this::parameter);
            case "objective" ->
                json.object(field -> {
                    if (field.equals("name")) {
                        objective = json.scalar();
                    } else {
                        json.skip();
                    }
                });
            case "gradient_booster" -> json.object(this::booster);
            case "feature_names" -> {
                names.clear();
                json.array(() -> names.add(json.scalar()));
            }
            default -> json.skip();
        }
    }

    private void parameter(String name) {
        switch (name) {
            case "base_score" -> base = json.scalar();
            case "num_class" -> classes = json.integer(name, json.scalar());
            case "num_feature" -> features = json.integer(name, json.scalar());
            case "num_target" -> targets = json.integer(name, json.scalar());
            default -> json.skip();
        }
    }

    private void booster(String name) {
        switch (name) {
            // The trees of dart are in a booster of their own, whose name does not count.
            case "gbtree" -> {
                String outer = booster;
                json.object(this::booster);
                booster = outer;
            }
            case "name" -> booster = json.scalar();
            case "weight_drop" -> weights = json.floats(name);
            case "model" -> json.object(this::model);
            default -> json.skip();
        }
    }

    private void model(String name) {
        switch (name) {
            case "tree_info" -> groupOfTree = json.integers(name);
            case "trees" -> {
                hasTrees = true;
                trees.clear();
                json.array(() -> {
                    XgboostTree tree = new XgboostTree("tree " + trees.size());
                    json.object(field -> tree.read(field, json));
                    trees.add(tree);
                });
            }
            default -> json.skip();
        }
    }

    private Ensemble ensemble() {
        if (!learned) {
            throw new InvalidDumpException("it has no 'learner', expected what XGBoost's save_model writes");
        }
        if (booster.equals("gblinear")) {
            throw new InvalidDumpException("its booster is gblinear, which has no trees, expected gbtree or dart");
        }
        if (!booster.equals("gbtree") && !booster.equals("dart")) {
            throw new InvalidDumpException(
                    "its booster is " + DumpText.shown(booster) + ", expected 'gbtree' or 'dart'");
        }
        if (features < 1) {
            throw new InvalidDumpException("'num_feature' is " + features + ", expected 1 or more");
        }
        XgboostObjective known = XgboostObjective.of(objective);
        int groups = groups(known);
        return new Ensemble(
                "XGBoost",
                objective,
                features,
                names.size() == features ? List.copyOf(names) : List.of(),
                false,
                known.link(),
                1,
                1,
                known.margins(base, groups),
                trees(groups));
    }

    private int groups(XgboostObjective known) {
        int groups = Math.max(1, Math.max(classes, targets));
        if (groups > Math.max(1, trees.size())) {
            throw new InvalidDumpException("it has " + groups + " classes or targets and " + trees.size()
                    + " trees, expected a tree for each");
        }
        // Newer releases sort each row's predictions; the file does not tell which one answers.
        if (objective.equals(XgboostObjective.QUANTILE) && groups > 1) {
            throw new InvalidDumpException("it has " + groups
                    + " quantiles, which some releases of XGBoost put in order and others do not, expected one for "
                    + objective);
        }
        if (known.link() == Link.SOFTMAX && groups < 2) {
            throw new InvalidDumpException("'num_class' is " + classes + ", expected 2 or more for " + objective);
        }
        if (known.link() == Link.BINARY && groups > 1) {
            throw new InvalidDumpException("it has " + groups + " targets, expected one for " + objective);
        }
        return groups;
    }

    private List<DecisionTree> trees(int groups) {
        if (!hasTrees || trees.isEmpty()) {
            throw new InvalidDumpException("it has no trees, expected one at least");
        }
        if (groupOfTree.length != trees.size()) {
            throw new InvalidDumpException("'tree_info' has " + groupOfTree.length
                    + " numbers, expected one for each of " + trees.size() + " trees");
        }
        boolean dart = booster.equals("dart");
        if (dart && (weights == null || weights.length != trees.size())) {
            throw new InvalidDumpException("'weight_drop' has " + (weights == null ? 0 : weights.length)
                    + " numbers, expected one for each of " + trees.size() + " trees");
        }
        List<DecisionTree> all = new ArrayList<>();
        for (int i = 0; i < groupOfTree.length; i++) {
            int group = groupOfTree[i];
            if (group < 0 || group >= groups) {
                throw new InvalidDumpException(
                        "'tree_info' has " + group + " for tree " + i + ", expected 0 to " + (groups - 1));
            }
            all.add(trees.set(i, null).tree(group, dart ? weights[i] : 1).check(features));
        }
        return all;
    }
}
