/// Scenario files, and carrying one out: targets in turns, fleets of agents, watching. May import
/// Jackson, `rate`, `record`, `engine`, `fleet`, `fault`, `installation`, `network`, `watch` and
/// `report`.
@NullMarked
package io.penstock.loadtest.scenario;

import org.jspecify.annotations.NullMarked;
