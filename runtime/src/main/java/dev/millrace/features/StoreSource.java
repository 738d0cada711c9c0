// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import dev.millrace.store.FeatureStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;

/// The stored values of plans, from a feature store as it is when they are read: views by their
/// names, fields by theirs, of the same types.
///
/// Threads: any. Ownership: the store stays its owner's, who closes it after the readers.
///
/// @param store where the values are
public record StoreSource(FeatureStore store) implements FeatureSource {
    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        View stored = store.view(view.name());
        return new StoredReader(stored, places(view, stored.schema()), layout);
    }

    /// Where the store's view has the fields of the specification's.
    private static int[] places(FeatureView view, ViewSchema schema) {
        Field key = schema.key();
        if (!isSame(view.entity().type(), key.type())) {
            throw new IllegalArgumentException("the key of view '" + view.name() + "' is " + key.typeText()
                    + ", expected " + view.entity().type().word());
        }
        int[] places = new int[view.fields().size()];
        for (int i = 0; i < places.length; i++) {
            FieldSpec field = view.fields().get(i);
            places[i] = schema.index(field.name());
            Field stored = schema.fields().get(places[i]);
            if (!isSame(field.type(), stored.type())) {
                throw new IllegalArgumentException("field '" + field.name() + "' of view '" + view.name() + "' is "
                        + stored.typeText() + ", expected " + field.type().word());
            }
        }
        return places;
    }

    private static boolean isSame(ValueType type, FieldType stored) {
        return type.word().equals(stored.word());
    }
}
