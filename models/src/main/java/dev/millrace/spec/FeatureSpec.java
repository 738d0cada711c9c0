// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What a model's input row is made of: the file `features.yaml` in the folder of a model version,
/// read and checked. All that was learned from data is in it or in files beside it whose hashes it
/// has, so its digest is the identity of what is computed.
///
/// Threads: any; it does not change.
public final class FeatureSpec {
    /// The file's name.
    public static final String FILE_NAME = "features.yaml";

    private final Head head;
    private final List<FieldSpec> request;
    private final List<FeatureView> views;
    private final List<Feature> features;
    private final String digest;
    private final Map<String, List<String>> places;

    /// What a specification says of itself.
    ///
    /// @param tensor the model's input
    record Head(String name, long version, String tensor) {}

    /// What a specification has of values and features.
    ///
    /// @param places where the transforms of each feature are
    record Parts(
            List<FieldSpec> request,
            List<FeatureView> views,
            List<Feature> features,
            Map<String, List<String>> places) {}

    FeatureSpec(Head head, Parts parts, String digest) {
        this.head = head;
        this.request = List.copyOf(parts.request());
        this.views = List.copyOf(parts.views());
        this.features = List.copyOf(parts.features());
        this.places = Map.copyOf(parts.places());
        this.digest = digest;
    }

    /// Reads a file and the files that it names, which lie in its folder.
    ///
    /// @throws FeatureSpecException if anything in them is wrong, with all that was found
    /// @throws IOException if the file itself cannot be read
    public static FeatureSpec read(Path file) throws IOException {
        return SpecReader.read(file);
    }

    /// Reads a text.
    ///
    /// @param folder where the files that it names lie
    /// @throws FeatureSpecException if anything is wrong, with all that was found
    public static FeatureSpec parse(String text, Path folder) {
        return SpecReader.parse(text, folder);
    }

    /// Its name.
    public String name() {
        return head.name();
    }

    /// Its version.
    public long version() {
        return head.version();
    }

    /// The model's input that the columns are.
    public String tensor() {
        return head.tensor();
    }

    /// The request's fields.
    public List<FieldSpec> request() {
        return request;
    }

    /// The views that features may take values from.
    public List<FeatureView> views() {
        return views;
    }

    /// The features in the order of their columns.
    public List<Feature> features() {
        return features;
    }

    /// Where a transform is in the file, as what is wrong with one is told:
    /// `features.yaml:LINE:COLUMN: features.NAME.transform[INDEX]`.
    ///
    /// @param feature one of this specification's
    /// @param transform its place among the feature's, from 0
    public String place(Feature feature, int transform) {
        return places.get(feature.name()).get(transform);
    }

    /// The names of the columns in their order.
    public List<String> columns() {
        List<String> columns = new ArrayList<>();
        for (Feature feature : features) {
            if (feature.columns().emit()) {
                columns.addAll(feature.columns().names());
            }
        }
        return columns;
    }

    /// The SHA-256 of the file, in lower-case hexadecimal; where it names others, that of the lines
    /// which `sha256sum` prints for it and then for the others in order of their names.
    public String digest() {
        return digest;
    }

    @Override
    public String toString() {
        return head.name() + " " + head.version() + " (" + digest + ")";
    }
}
