/// Sends requests to a URL over kept connections, in open loop at intended start times or in closed
/// loop, and records what comes of them. May import Netty, HdrHistogram,
/// `rate` and `record`.
@NullMarked
package io.penstock.loadtest.engine;

import org.jspecify.annotations.NullMarked;
