/// What the systems of each agent should be: versions under signed headers, deployment by signed
/// head manifests, and what agents say became of it. Settings rest under the KEK, secrets are
/// sealed to the agent and never opened here.
/// Imports `codec`, `broker.delivery`'s interfaces, `broker.agents`' interfaces, `broker.tunnel`'s
/// `LiveSession`, `broker.keys`, `broker.store`, `broker.audit` and `broker.access`'s `Actor`;
/// never routes or SQL.
@NullMarked
package io.penstock.broker.systems;

import org.jspecify.annotations.NullMarked;
