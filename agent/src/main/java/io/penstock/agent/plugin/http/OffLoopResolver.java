package io.penstock.agent.plugin.http;

import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.resolver.InetSocketAddressResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

/// Looks names up on virtual threads: the JDK's resolver blocks as long as it likes, and Netty's
/// default would let it block the event loop. The JDK caches; connections are bounded, and so are
/// lookups.
final class OffLoopResolver extends AddressResolverGroup<InetSocketAddress> {
  @Override
  protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
    return new InetSocketAddressResolver(executor, new Names(executor));
  }

  private static final class Names extends InetNameResolver {
    Names(EventExecutor executor) {
      super(executor);
    }

    @Override
    protected void doResolve(String host, Promise<InetAddress> promise) {
      Thread.ofVirtual()
          .name("dns")
          .start(
              () -> {
                try {
                  promise.trySuccess(InetAddress.getByName(host));
                } catch (UnknownHostException unknown) {
                  promise.tryFailure(unknown);
                }
              });
    }

    @Override
    protected void doResolveAll(String host, Promise<List<InetAddress>> promise) {
      Thread.ofVirtual()
          .name("dns")
          .start(
              () -> {
                try {
                  promise.trySuccess(List.of(InetAddress.getAllByName(host)));
                } catch (UnknownHostException unknown) {
                  promise.tryFailure(unknown);
                }
              });
    }
  }
}
