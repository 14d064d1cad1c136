package io.penstock.loadtest.fault;

import com.microsoft.playwright.APIResponse;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.RequestOptions;
import java.util.List;
import java.util.regex.Pattern;

/// Something that the console offers: where, by which control, with which permission, and a call
/// that the permission decides. The call is refused with 403 without the permission, and with it
/// does nothing: it is about what is not there, or has a body that no call takes.
///
/// @param page empty = in the navigation
record ConsoleAction(
    String page, String control, String permission, String method, String path, String body) {
  private static final String AGENT = "/agents/plant-1";
  private static final String WAITING = "/agents/plant-2";
  private static final String SYSTEM = "/agents/plant-1/systems/ledger";
  private static final String NOBODY = "/agents/nobody";
  private static final String NOTHING = "/agents/plant-1/systems/nothing";

  /// For an agent `plant-1` that is online with a system `ledger`, and `plant-2`, which waits to be
  /// approved.
  static final List<ConsoleAction> ALL =
      List.of(
          page("Overview", "agents:read", "/agents"),
          page("Latency", "dashboards:read", "/overview"),
          page("Requests", "requests:read", "/requests"),
          page("Alarms", "alarms:read", "/alarms"),
          page("Systems", "systems:read", AGENT + "/systems"),
          page("Enrollment", "enrollment-tokens:manage", "/enrollment-tokens"),
          page("Changes", "changes:create", "/changes"),
          page("Audit", "audit:read-own", "/audit"),
          page("Users & access", "users:manage", "/users"),
          page("Broker", "logs:read", "/broker"),
          post("/agents", "Enroll an agent", "enrollment-tokens:manage", "/enrollment-tokens"),
          post(AGENT, "Revoke…", "agents:manage", NOBODY + "/revoke"),
          post(AGENT, "Disconnect…", "agents:manage", NOBODY + "/disconnect"),
          on(AGENT, "Change the labels…", "agents:manage", "PATCH", NOBODY),
          on(AGENT + "?tab=systems", "Add a system", "systems:update", "PUT", NOTHING),
          on("/systems", "Add a system", "systems:update", "PUT", NOTHING),
          post(WAITING, "Approve…", "agents:manage", NOBODY + "/approve"),
          post(WAITING, "Reject…", "agents:manage", NOBODY + "/reject"),
          post(SYSTEM, "Test", "systems:test", NOTHING + "/test"),
          on(SYSTEM, "Edit", "systems:update", "PUT", NOTHING),
          post(SYSTEM, "Roll back…", "systems:update", NOTHING + "/rollback"),
          post(SYSTEM, "Deploy…", "systems:deploy", NOTHING + "/deploy"),
          on(SYSTEM, "Delete…", "systems:delete", "DELETE", NOTHING),
          post("/alarms?tab=silences", "Silence alarms…", "alarms:acknowledge", "/silences"),
          post("/enrollment", "Create a token…", "enrollment-tokens:manage", "/enrollment-tokens"),
          on("/audit", "Verify", "audit:read", "GET", "/audit/verify?after=x"),
          post("/access", "Add a user…", "users:manage", "/users"),
          post(
              "/access?tab=services",
              "Add a service account…",
              "service-accounts:manage",
              "/service-accounts"));

  private static ConsoleAction page(String control, String permission, String path) {
    return new ConsoleAction("", control, permission, "GET", path, "");
  }

  private static ConsoleAction post(String page, String control, String permission, String path) {
    return on(page, control, permission, "POST", path);
  }

  private static ConsoleAction on(
      String page, String control, String permission, String method, String path) {
    return new ConsoleAction(page, control, permission, method, path, "{\"nonsense\":1}");
  }

  /// Whether its control is there and can be used; the page is open.
  boolean isOffered(Page at) {
    // Beside a page's name may stand how many wait there.
    Pattern name = Pattern.compile("^" + control + "( ?\\d.*)?$");
    Locator place = at.locator(page.isEmpty() ? "nav#nav" : "main");
    Locator found =
        place
            .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(name))
            .or(place.getByRole(AriaRole.LINK, new Locator.GetByRoleOptions().setName(name)));
    return found.count() > 0
        && !"true".equals(found.first().getAttribute("aria-disabled"))
        && found.first().isEnabled();
  }

  /// The status of its call with the page's cookies, but not on its console.
  int call(Page by) {
    RequestOptions options =
        RequestOptions.create().setMethod(method).setHeader("Penstock-Console", "1");
    if (!body.isEmpty() && !method.equals("GET")) {
      options.setHeader("Content-Type", "application/json").setData(body);
    }
    APIResponse answer = by.request().fetch("/api/v1" + path, options);
    try {
      return answer.status();
    } finally {
      answer.dispose();
    }
  }
}
