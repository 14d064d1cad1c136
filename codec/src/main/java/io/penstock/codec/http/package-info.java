/// The strict HTTP/1.1 gate: judges the raw bytes of heads, chunk framing and invocation paths
/// before any parser reads them, and names what never travels on. May import `java.*`,
/// `io.netty.buffer`, `AsciiString` and `codec`'s `Fields` only; broker and agent hold the same
/// gate at their two ends (protocol, "HTTP through the tunnel").
@NullMarked
package io.penstock.codec.http;

import org.jspecify.annotations.NullMarked;
