/// Rotation of the owner's keys while the broker serves: in which order keys are announced, used
/// and given up, what has to be signed or wrapped anew before, and what still needs an old one.
/// Imports `broker.keys`, the upkeep of `broker.agents` and `broker.systems`, `broker.store`,
/// `broker.audit` and `broker.access`'s `Actor`; never routes or SQL.
@NullMarked
package io.penstock.broker.rotation;

import org.jspecify.annotations.NullMarked;
