/// Agents' life: enrollment, approval, custody of their keys, admission, quarantine, revocation.
@NullMarked
package io.penstock.broker.agents;

import org.jspecify.annotations.NullMarked;
