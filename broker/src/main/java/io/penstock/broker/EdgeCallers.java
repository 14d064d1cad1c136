package io.penstock.broker;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.ServiceAccounts;
import io.penstock.broker.access.ServiceAccounts.Invoker;
import io.penstock.broker.edge.BearerToken;
import io.penstock.broker.edge.Caller;
import io.penstock.broker.edge.CallerVerdict;
import io.penstock.broker.edge.Callers;
import io.penstock.broker.store.StoreUnavailableException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;

/// Lets the edge ask `broker.access` who a token stands for: at once from memory, else on a virtual
/// thread, at most 256 at a time; beyond, the answer is that it cannot be found out now.
final class EdgeCallers implements Callers {
  private static final int AT_ONCE = 256;

  private final ServiceAccounts accounts;
  private final Semaphore slots = new Semaphore(AT_ONCE);
  // The edge wants the same object for the same identity.
  private final Cache<Invoker, Caller> callers = Caffeine.newBuilder().maximumSize(10_000).build();

  EdgeCallers(ServiceAccounts accounts) {
    this.accounts = accounts;
  }

  @Override
  public Optional<Caller> cached(BearerToken token) {
    return accounts.known(token.secret()).map(this::caller);
  }

  @Override
  public CompletionStage<CallerVerdict> authenticate(BearerToken token, SocketAddress remote) {
    if (!slots.tryAcquire()) {
      return CompletableFuture.completedStage(new CallerVerdict.Unavailable());
    }
    var verdict = new CompletableFuture<CallerVerdict>();
    Thread.ofVirtual()
        .name("caller")
        .start(
            () -> {
              try {
                verdict.complete(lookUp(token, remote));
              } catch (RuntimeException bug) {
                verdict.completeExceptionally(bug);
              } finally {
                slots.release();
              }
            });
    return verdict;
  }

  private CallerVerdict lookUp(BearerToken token, SocketAddress remote) {
    Optional<String> address =
        remote instanceof InetSocketAddress inet
            ? Optional.of(inet.getAddress().getHostAddress())
            : Optional.empty();
    try {
      return switch (accounts.lookUp(
          token.secret(), new Origin(address, Optional.empty(), "/invoke"))) {
        case ServiceAccounts.LookUp.Found(Invoker invoker) ->
            new CallerVerdict.Known(caller(invoker));
        case ServiceAccounts.LookUp.Refused() -> new CallerVerdict.Unknown();
        case ServiceAccounts.LookUp.Limited(int seconds) -> new CallerVerdict.Limited(seconds);
      };
    } catch (StoreUnavailableException away) {
      return new CallerVerdict.Unavailable();
    }
  }

  private Caller caller(Invoker invoker) {
    return callers.get(invoker, it -> new Caller(it.name(), it::mayInvoke));
  }
}
