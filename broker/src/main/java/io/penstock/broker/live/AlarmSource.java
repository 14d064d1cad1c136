package io.penstock.broker.live;

import io.penstock.broker.store.AlarmTable.Alarm;
import java.util.List;

/// Where changes of alarms come from.
public interface AlarmSource {
  /// Those that were raised, repeated, acknowledged or cleared since it was last asked; may block.
  List<Alarm> changes();

  /// Nobody watches: what happened so far is no news.
  void skip();
}
