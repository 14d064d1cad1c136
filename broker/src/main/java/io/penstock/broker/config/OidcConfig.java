package io.penstock.broker.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Sign-in by an identity provider. The secret is read at each sign-in, so that a new one in the
/// file is of use without a restart.
///
/// @param name on the sign-in page
/// @param consoleUrl what browsers reach the console by, if it is not the broker's own URL; has no
///     slash at its end
/// @param issuer exactly as the provider's tokens write it
/// @param rolesClaim the names on the way to the claim that holds roles
/// @param timeout for each answer of the provider
/// @param signInWithin how long somebody may be at the provider
public record OidcConfig(
    String name,
    Optional<String> consoleUrl,
    String issuer,
    String clientId,
    Path clientSecretFile,
    Optional<Path> caFile,
    List<String> scopes,
    String emailClaim,
    List<String> rolesClaim,
    List<RoleOf> roles,
    Duration timeout,
    Duration signInWithin) {

  private static final String SECTION = "oidc.";
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "[::1]", "localhost");
  private static final List<String> ROLES =
      List.of("Viewer", "Operator", "Engineer", "Admin", "Copilot");
  private static final Pattern NAME = Pattern.compile("[^\\p{Cntrl}<>&\"]{1,40}");
  private static final Pattern SCOPE = Pattern.compile("[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,200}");
  private static final int MAX_ROLES = 100;

  public OidcConfig {
    scopes = List.copyOf(scopes);
    rolesClaim = List.copyOf(rolesClaim);
    roles = List.copyOf(roles);
  }

  /// Whoever has `value` at the provider is `role` here.
  public record RoleOf(String value, String role) {}

  /// Empty = off.
  static Optional<OidcConfig> read(ConfigReader in) {
    Optional<String> issuer = in.optionalText(SECTION + "issuer");
    Optional<String> clientId = in.optionalText(SECTION + "client_id");
    Optional<Path> secret = in.optionalPath(SECTION + "client_secret_file");
    Optional<Path> ca = in.optionalPath(SECTION + "ca_file");
    String name = in.text(SECTION + "name", "OpenID Connect");
    Optional<String> consoleUrl =
        in.optionalText(SECTION + "console_url").map(url -> url.replaceFirst("/$", ""));
    List<String> scopes = in.list(SECTION + "scopes");
    String emailClaim = in.text(SECTION + "email_claim", "email");
    String rolesClaim = in.text(SECTION + "roles_claim", "/realm_access/roles");
    List<String> roles = in.list(SECTION + "roles");
    Duration timeout =
        in.duration(
            SECTION + "timeout",
            Duration.ofSeconds(5),
            Duration.ofMillis(100),
            Duration.ofSeconds(30));
    Duration within =
        in.duration(
            SECTION + "sign_in_within",
            Duration.ofMinutes(10),
            Duration.ofSeconds(10),
            Duration.ofHours(1));
    if (issuer.isEmpty()) {
      in.require(
          clientId.isEmpty() && secret.isEmpty() && roles.isEmpty(),
          SECTION + "issuer: expected the provider's issuer, as other keys of oidc are there");
      return Optional.empty();
    }
    in.require(
        isUrl(issuer.get()) && !issuer.get().contains("?"),
        SECTION
            + "issuer: expected https://host[:port][/path], or http to this machine, found "
            + issuer.get());
    in.require(clientId.isPresent(), SECTION + "client_id: expected what the provider knows us by");
    in.require(secret.isPresent(), SECTION + "client_secret_file: expected a file of one line");
    requireFile(in, "client_secret_file", secret);
    requireFile(in, "ca_file", ca);
    in.require(
        NAME.matcher(name).matches(),
        SECTION + "name: expected 1 to 40 characters without < > & \", found " + name);
    in.require(
        consoleUrl.filter(url -> !isConsoleUrl(url)).isEmpty(),
        SECTION
            + "console_url: expected https://host[:port][/path], found "
            + consoleUrl.orElse(""));
    List<String> asked = scopes.isEmpty() ? List.of("openid", "email", "profile") : scopes;
    in.require(
        asked.contains("openid") && asked.stream().allMatch(one -> SCOPE.matcher(one).matches()),
        SECTION + "scopes: expected a list of names with openid in it, found " + asked);
    in.require(!emailClaim.isBlank(), SECTION + "email_claim: expected the name of a claim");
    List<String> way = way(rolesClaim);
    in.require(
        !way.isEmpty() && way.stream().noneMatch(String::isEmpty),
        SECTION + "roles_claim: expected a claim, or /claim/name, found " + rolesClaim);
    List<RoleOf> table = roles(in, roles);
    return Optional.of(
        new OidcConfig(
            name,
            consoleUrl,
            issuer.get(),
            clientId.orElse(""),
            secret.orElse(Path.of("")),
            ca,
            asked,
            emailClaim,
            way,
            table,
            timeout,
            within));
  }

  private static List<RoleOf> roles(ConfigReader in, List<String> entries) {
    String key = SECTION + "roles";
    in.require(
        !entries.isEmpty() && entries.size() <= MAX_ROLES,
        key + ": expected 1 to " + MAX_ROLES + " entries VALUE=ROLE, found " + entries.size());
    var table = new ArrayList<RoleOf>();
    for (String entry : entries) {
      int equals = entry.lastIndexOf('=');
      boolean whole = equals > 0 && ROLES.contains(entry.substring(equals + 1));
      in.require(whole, key + ": expected VALUE=ROLE with one of " + ROLES + ", found " + entry);
      if (whole) {
        table.add(new RoleOf(entry.substring(0, equals), entry.substring(equals + 1)));
      }
    }
    return table;
  }

  /// Of a JSON pointer (RFC 6901), or of one name.
  private static List<String> way(String text) {
    if (!text.startsWith("/")) {
      return List.of(text);
    }
    var way = new ArrayList<String>();
    for (String part : text.substring(1).split("/", -1)) {
      way.add(part.replace("~1", "/").replace("~0", "~"));
    }
    return way;
  }

  /// Whether what the provider says may name it, and codes and secrets be sent there. A provider
  /// elsewhere names nothing within this machine.
  public boolean takesEndpoint(String url) {
    return isUrl(url) && (url.startsWith("https:") || issuer.startsWith("http:"));
  }

  private static boolean isConsoleUrl(String url) {
    return isUrl(url) && url.startsWith("https:") && !url.contains("?") && !url.endsWith("/");
  }

  /// Over TLS, or within this machine.
  private static boolean isUrl(String text) {
    try {
      var url = new URI(text);
      return url.getHost() != null
          && url.getRawUserInfo() == null
          && url.getRawFragment() == null
          && ("https".equals(url.getScheme())
              || ("http".equals(url.getScheme()) && LOOPBACK.contains(url.getHost())));
    } catch (URISyntaxException _) {
      return false;
    }
  }

  private static void requireFile(ConfigReader in, String key, Optional<Path> file) {
    in.require(
        file.isEmpty() || Files.isReadable(file.get()),
        SECTION + key + ": cannot read " + file.map(Path::toString).orElse(""));
  }
}
