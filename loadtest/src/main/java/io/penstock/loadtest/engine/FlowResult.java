package io.penstock.loadtest.engine;

import io.penstock.loadtest.record.Recording;
import org.HdrHistogram.Histogram;

/// What one flow did in one run of the engine.
///
/// @param open whether it ran in open loop
/// @param durationNanos for which requests were meant to start
/// @param lateness how long after its intended time the generator turned to a request, in
///     nanoseconds; empty in closed loop
/// @param mostAtOnce requests that were under way at one moment
public record FlowResult(
    String flow,
    boolean open,
    long durationNanos,
    Recording recording,
    Histogram lateness,
    int mostAtOnce) {}
