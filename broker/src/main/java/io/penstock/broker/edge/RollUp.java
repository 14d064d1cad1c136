package io.penstock.broker.edge;

import java.time.Instant;

/// What one caller did at one system within one minute, with one outcome.
///
/// @param minute its first instant
/// @param verdict as in [InvocationRecord]
/// @param maxMicros the slowest of them
public record RollUp(
    Instant minute,
    String caller,
    String site,
    String system,
    String verdict,
    long invocations,
    long bytesIn,
    long bytesOut,
    long totalMicros,
    long maxMicros) {}
