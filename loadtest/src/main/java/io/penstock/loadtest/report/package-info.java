/// What a run found, as text, JSON, HDR logs and one HTML page; and what differs between two runs.
/// May import Jackson, HdrHistogram, commons-math3, `engine`, `record` and `watch`.
@NullMarked
package io.penstock.loadtest.report;

import org.jspecify.annotations.NullMarked;
