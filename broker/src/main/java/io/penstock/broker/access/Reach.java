package io.penstock.broker.access;

import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.AgentTable.Agent;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// What a scope means for invocations, which name a site: it may be invoked when *every* agent of
/// it that could answer is in scope, because any of them may be chosen. Blocks.
final class Reach {
  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";
  private static final Pattern SYSTEM = Pattern.compile("\\*|" + NAME);

  private final Database database;
  private final AgentTable agents = new AgentTable();

  Reach(Database database) {
    this.database = database;
  }

  /// `site/system`, where `*` is every system, and `site` may be any entry of a [Scope].
  static boolean isSystem(String text) {
    int slash = text.lastIndexOf('/');
    return slash > 0
        && Scope.isEntry(text.substring(0, slash))
        && SYSTEM.matcher(text.substring(slash + 1)).matches();
  }

  /// `site/*` for each site within `scope`; a person without limits reaches all.
  ///
  /// @param limit how long the database may take
  List<String> of(Scope scope, Duration limit) {
    return scope.isEverything()
        ? List.of("*")
        : database.within(
            limit, tx -> sites(agents.list(tx), scope).stream().map(it -> it + "/*").toList());
  }

  /// Of a service account's systems, selectors become the sites that they mean now. A plain
  /// `site/system` is about that site, and stays.
  List<String> of(Tx tx, List<String> systems) {
    if (systems.stream().noneMatch(Reach::isSelector)) {
      return systems;
    }
    List<Agent> all = agents.list(tx);
    var resolved = new LinkedHashSet<String>();
    for (String system : systems) {
      if (isSelector(system)) {
        int slash = system.lastIndexOf('/');
        var scope = new Scope(List.of(system.substring(0, slash)));
        sites(all, scope).forEach(site -> resolved.add(site + system.substring(slash)));
      } else {
        resolved.add(system);
      }
    }
    return List.copyOf(resolved);
  }

  boolean holds(Tx tx, Scope scope, String agent) {
    return agents
        .find(tx, agent)
        .filter(found -> scope.holds(found.name(), found.site(), found.labels()))
        .isPresent();
  }

  /// Those of `scope`, whatever their state.
  List<String> agents(Tx tx, Scope scope) {
    return agents.list(tx).stream()
        .filter(found -> scope.holds(found.name(), found.site(), found.labels()))
        .map(Agent::name)
        .toList();
  }

  private static boolean isSelector(String system) {
    return system.indexOf(':') >= 0;
  }

  private static List<String> sites(List<Agent> all, Scope scope) {
    Map<String, Boolean> whole = new TreeMap<>();
    for (Agent agent : all) {
      if (agent.state() == AgentState.APPROVED || agent.state() == AgentState.QUARANTINED) {
        boolean inside = scope.holds(agent.name(), agent.site(), agent.labels());
        whole.merge(agent.site(), inside, Boolean::logicalAnd);
      }
    }
    var sites = new ArrayList<String>();
    whole.forEach(
        (site, inside) -> {
          if (inside) {
            sites.add(site);
          }
        });
    return sites;
  }
}
