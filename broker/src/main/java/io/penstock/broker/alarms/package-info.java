/// What an operator has to act on: causes that are looked for all the time, alarms that come and go
/// with them, silences, and notices by webhook and mail.
/// Imports `broker.store`, `broker.audit`, `broker.access`, `broker.keys`, `broker.config`, what
/// `broker.edge` tells of invocations, and Vert.x's mail client; who raises an alarm in the
/// transaction of its cause uses `broker.store`'s `AlarmTable` and does not know this package.
@NullMarked
package io.penstock.broker.alarms;

import org.jspecify.annotations.NullMarked;
