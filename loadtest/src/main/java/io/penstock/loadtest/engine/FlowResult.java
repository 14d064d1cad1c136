package io.penstock.loadtest.engine;

import io.penstock.loadtest.record.Recording;
import org.HdrHistogram.Histogram;

/// What one flow did in one run of the engine.
///
/// @param open whether it ran in open loop
/// @param startNanos when requests began to be meant to start, in the recording's time
/// @param durationNanos for which they were
/// @param lateness how long after its intended time the generator turned to a request, in
///     nanoseconds; empty in closed loop
/// @param mostAtOnce requests that were under way at one moment
public record FlowResult(
    String flow,
    boolean open,
    long startNanos,
    long durationNanos,
    Recording recording,
    Histogram lateness,
    int mostAtOnce) {}
