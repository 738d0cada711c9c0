// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

/// A simulated country, named by a code that ISO 3166 leaves free, so that nothing is said about any real one.
public enum Country {
    XA(0.34, 1),
    XB(0.22, 1),
    XC(0.14, 0),
    XD(0.12, 2),
    XE(0.08, 1),
    XF(0.05, 2),
    XG(0.03, -5),
    XH(0.02, 8),
    XI(0.0, 7),
    XJ(0.0, -6);

    private final double homeShare;
    private final int utcOffsetHours;

    Country(double homeShare, int utcOffsetHours) {
        this.homeShare = homeShare;
        this.utcOffsetHours = utcOffsetHours;
    }

    /// Share of the simulated customers who live here, 0 to 1.
    public double homeShare() {
        return homeShare;
    }

    /// Local time minus UTC, in hours; there is no daylight saving time in this world.
    public int utcOffsetHours() {
        return utcOffsetHours;
    }
}
