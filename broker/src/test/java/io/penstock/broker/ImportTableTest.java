package io.penstock.broker;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// The import table of this module, each ban with its reason. A rule about a package that is not
/// built yet holds by itself.
@AnalyzeClasses(
    packages = "io.penstock.broker",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ImportTableTest {
  private static final String ROOT = "io.penstock.broker";

  @ArchTest
  static final ArchRule ONLY_THE_STORE_SPEAKS_SQL =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".store..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.vertx.pgclient..", "io.vertx.sqlclient..", "org.postgresql..", "org.flywaydb..")
          .because("a change of schema must be readable in one package");

  @ArchTest
  static final ArchRule ONLY_THE_AUDIT_TRAIL_SPEAKS_TO_KAFKA =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".audit..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.kafka..")
          .because("its client blocks, and its settings hold a password");

  @ArchTest
  static final ArchRule JDBC_BLOCKS =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT + ".store..", ROOT + ".ctl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.sql..")
          .because(
              "JDBC blocks its thread: only the embedded server's start, the migrations and"
                  + " `doctor` may");

  @ArchTest
  static final ArchRule ONLY_MAIN_SEES_ALL =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".*..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT)
          .because("wiring is done in one place, from above");

  @ArchTest
  static final ArchRule NEIGHBOURS_DO_NOT_IMPORT_IN_CIRCLES =
      slices()
          .matching(ROOT + ".(*)..")
          .should()
          .beFreeOfCycles()
          .because("a package must be testable with what lies below it");

  @ArchTest
  static final ArchRule THE_MODULES_MEET_ON_THE_WIRE =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.penstock.agent..", "io.penstock.loadtest..")
          .because("broker and agent share the codec and nothing else");

  @ArchTest
  static final ArchRule THE_DATA_PATH_WAITS_FOR_NO_DATABASE =
      noClasses()
          .that()
          .resideInAnyPackage(
              ROOT + ".tunnel..", ROOT + ".routing..", ROOT + ".edge..", ROOT + ".front..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ROOT + ".store..", ROOT + ".access..", ROOT + ".api..", ROOT + ".agents..")
          .because(
              "event loops carry streams while Postgres is away; who may do what reaches them"
                  + " through interfaces of their own");

  @ArchTest
  static final ArchRule KEYS_STAY_AWAY_FROM_THE_NETWORK =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".keys..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.vertx..", "io.netty..", "java.net.http..", ROOT + ".store..", ROOT + ".api..")
          .because("the package that holds every secret is small enough to be audited");

  @ArchTest
  static final ArchRule CONFIGURATION_STARTS_NOTHING =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".config..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.vertx..", "io.netty..", ROOT + ".store..", ROOT + ".keys..")
          .because("it is checked whole before anything runs");

  @ArchTest
  static final ArchRule RIGHTS_DO_NOT_KNOW_ROUTES =
      noClasses()
          .that()
          .resideInAnyPackage(
              ROOT + ".access..", ROOT + ".audit..", ROOT + ".agents..", ROOT + ".store..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ROOT + ".api..", "io.vertx.ext.web..")
          .because("the same rules serve the API, the edge and the command line");

  @ArchTest
  static final ArchRule TOKENS_ARE_READ_IN_ONE_PLACE =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".access..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.vertx.ext.auth..")
          .because("one list of algorithms, one set of checks");

  @ArchTest
  static final ArchRule METERS_ARE_MADE_IN_ONE_PLACE =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".telemetry..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.micrometer..", "io.prometheus..")
          .because("names and labels of metrics are a contract, read in one package");

  @ArchTest
  static final ArchRule TELEMETRY_IS_READ_BY_NOBODY =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".*..")
          .and()
          .resideOutsideOfPackage(ROOT + ".telemetry..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + ".telemetry..")
          .because("what works must not depend on being watched");

  @ArchTest
  static final ArchRule THE_COMMAND_LINE_IS_A_CLIENT =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".ctl..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ROOT + ".store..", ROOT + ".access..", ROOT + ".agents..", ROOT + ".keys..")
          .allowEmptyShould(true)
          .because("it reaches a broker by its API, like everybody else");
}
