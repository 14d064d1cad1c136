/// What is measured of calls and of this process: hop times per agent and system, recent calls,
/// event-loop lag, and their history. Imports what `broker.edge` tells of calls, `broker.tunnel`
/// for the sessions, `broker.store` for the history, and HdrHistogram.
@NullMarked
package io.penstock.broker.measure;

import org.jspecify.annotations.NullMarked;
