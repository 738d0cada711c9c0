// SPDX-License-Identifier: Apache-2.0
package example;

/// Runs the library inside a program of one's own.
public final class Embedded {
    private Embedded() {}

    public static void main(String[] args) {
        System.out.println("embedded");
    }
}
