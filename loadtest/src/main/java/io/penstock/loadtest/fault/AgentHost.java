package io.penstock.loadtest.fault;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/// Runs several agents in one JVM, each from its own configuration file, with its own data
/// directory, identity, event loop and tunnels: what differs from as many processes is that they
/// are killed together, and that a hundred fit on a small machine.
///
/// The agent's command line is called as the launcher calls it, by name, so that this module need
/// not know its classes.
public final class AgentHost {
  private static final String COMMAND = "io.penstock.agent.Agent";

  private AgentHost() {}

  /// @param configurations the files
  public static void main(String[] configurations) throws ReflectiveOperationException {
    Method run = Class.forName(COMMAND).getDeclaredMethod("run", String[].class);
    run.setAccessible(true);
    for (String configuration : configurations) {
      Thread.ofPlatform().name("agent of " + configuration).start(() -> run(run, configuration));
    }
  }

  private static void run(Method run, String configuration) {
    try {
      Object exitCode = run.invoke(null, (Object) new String[] {"--config", configuration});
      System.err.println("the agent of " + configuration + " ended with " + exitCode);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("the agent of " + configuration + " failed", e);
    }
  }
}
