package io.penstock.broker.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Who the server's programs run as. Postgres refuses to run as root, so a root broker drops the
/// privilege for them: in a user namespace of its own (files stay root's), or, where namespaces are
/// forbidden, as `nobody` that may still pass our 0700 directories. Either way finds a data
/// directory that the other one left.
enum ServerAccount {
  /// An ordinary user already.
  SELF(""),
  NAMESPACE("unshare --user"),
  NOBODY(
      "setpriv --reuid=65534 --regid=65534 --clear-groups"
          + " --inh-caps=+dac_override --ambient-caps=+dac_override"
          + " --securebits=+no_setuid_fixup");

  private static final int NOBODY_ID = 65534;
  private static final int ROOT_ID = 0;

  private final String prefix;

  ServerAccount(String prefix) {
    this.prefix = prefix;
  }

  static ServerAccount ofThisProcess() throws IOException, InterruptedException {
    if (ownId() != ROOT_ID) {
      return hasName() || !NAMESPACE.works() ? SELF : NAMESPACE;
    }
    for (ServerAccount account : List.of(NAMESPACE, NOBODY)) {
      if (account.works()) {
        return account;
      }
    }
    throw new IOException(
        "the embedded Postgres does not run as root, and neither unshare nor setpriv can drop the"
            + " privilege here: start the broker as an ordinary user, or give database.url");
  }

  private static int ownId() throws IOException {
    return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
  }

  /// Containers run under ids that no user has; Postgres wants a name, and a namespace gives one.
  private static boolean hasName() throws InterruptedException {
    return succeeds(List.of("id", "-un"));
  }

  private boolean works() throws InterruptedException {
    return succeeds(command(List.of("true")));
  }

  private static boolean succeeds(List<String> command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      process.getInputStream().readAllBytes();
      return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException _) {
      return false;
    }
  }

  List<String> command(List<String> command) {
    var all = new ArrayList<String>();
    if (!prefix.isEmpty()) {
      all.addAll(List.of(prefix.split(" ", -1)));
    }
    all.addAll(command);
    return all;
  }

  /// Makes the tree this account's own: Postgres wants its data directory to belong to who runs it.
  void own(Path root) throws IOException {
    if (this == SELF || !Files.exists(root)) {
      return;
    }
    int id = this == NOBODY ? NOBODY_ID : ownId();
    if (((Number) Files.getAttribute(root, "unix:uid", LinkOption.NOFOLLOW_LINKS)).intValue()
        == id) {
      return;
    }
    List<Path> paths;
    try (var walk = Files.walk(root)) {
      // The root last: as long as it has the old owner, a crash in between is repaired by the next
      // start.
      paths = walk.sorted(java.util.Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.setAttribute(path, "unix:uid", id, LinkOption.NOFOLLOW_LINKS);
      Files.setAttribute(path, "unix:gid", id, LinkOption.NOFOLLOW_LINKS);
    }
  }
}
