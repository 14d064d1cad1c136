/// What a load run remembers: histograms of each interval by intended start, and errors by kind.
/// May import HdrHistogram only.
@NullMarked
package io.penstock.loadtest.record;

import org.jspecify.annotations.NullMarked;
