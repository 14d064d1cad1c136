/// Watches the generator, so that a run in which it was the bottleneck is not believed, and the CPU
/// and memory of the processes under load. May import HdrHistogram.
@NullMarked
package io.penstock.loadtest.watch;

import org.jspecify.annotations.NullMarked;
