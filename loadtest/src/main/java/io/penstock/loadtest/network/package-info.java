/// A line with delay, jitter, a limited rate, stalls and resets, as a TCP proxy that agents dial in
/// place of their broker. Knows bytes and connections only; may import Netty.
@NullMarked
package io.penstock.loadtest.network;

import org.jspecify.annotations.NullMarked;
