// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// The reference does what is asked of every store.
class MapStoreTest extends FeatureStoreContract {
    @Override
    FeatureStore open(ViewSchema... schemas) {
        return new MapStore(schemas);
    }

    @Override
    FeatureStore another(ViewSchema schema) {
        return new MapStore(schema);
    }
}
