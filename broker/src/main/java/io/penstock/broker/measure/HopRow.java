package io.penstock.broker.measure;

import java.util.Map;

/// The times of one series in one interval, ready for storage.
///
/// @param encoded of the hops that have any
record HopRow(
    SeriesKey series,
    long calls,
    long errors,
    long excessMicros,
    Map<Hop, Times.Encoded> encoded) {}
