/// Spans of invocations, for a collector of OpenTelemetry. Imports the OpenTelemetry SDK and what
/// `broker.edge` tells of calls; nothing imports it but the wiring, and it does nothing unless an
/// endpoint is set.
@NullMarked
package io.penstock.broker.trace;

import org.jspecify.annotations.NullMarked;
