/// Spans of calls, for a collector of OpenTelemetry. Imports the OpenTelemetry SDK and what
/// `agent.plugin` tells of calls; nothing imports it but the wiring, and it does nothing unless an
/// endpoint is set.
@NullMarked
package io.penstock.agent.trace;

import org.jspecify.annotations.NullMarked;
