// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

/// Which Millrace this is, as its jar says.
public final class Version {
    private Version() {}

    /// The version; "development" where there is no jar.
    public static String number() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
