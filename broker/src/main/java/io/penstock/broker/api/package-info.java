/// The REST API and its event streams: maps requests to calls, outcomes to JSON, errors to problem
/// documents. Imports the features it shows; nothing imports it but the wiring.
@NullMarked
package io.penstock.broker.api;

import org.jspecify.annotations.NullMarked;
