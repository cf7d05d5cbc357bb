import MillraceBase
import Testing

@Suite struct LaunchEnvironmentTests {
    @Test func settingsTravelFromTheLauncherToTheApplication() throws {
        let launched = try Conf([
            "spark.app.name": "a name = with : signs", "millrace.task.maxFailures": "2",
        ])
        let variables = [LaunchEnvironment.conf: LaunchEnvironment.text(of: launched)]
        let conf = try LaunchEnvironment.conf(
            adding: [ConfSetting("millrace.task.maxFailures", "3")], environment: { variables[$0] })
        #expect(conf.application.name == "a name = with : signs")
        #expect(conf.scheduler.maxTaskFailures == 3)
    }

    @Test func withoutALauncherTheDefaultsHold() throws {
        let conf = try LaunchEnvironment.conf(environment: { _ in nil })
        #expect(conf.settings.isEmpty)
    }

    @Test func theLogLevelOfTheEnvironmentIsTheWeakest() throws {
        var variables = [LaunchEnvironment.logLevel: "debug"]
        #expect(
            try LaunchEnvironment.conf(environment: { variables[$0] }).log.level == .debug)
        variables[LaunchEnvironment.conf] = "millrace.log.level=error\n"
        #expect(
            try LaunchEnvironment.conf(environment: { variables[$0] }).log.level == .error)
        variables[LaunchEnvironment.conf] = nil
        variables[LaunchEnvironment.logLevel] = "loud"
        let error = #expect(throws: ConfError.self) {
            try LaunchEnvironment.conf(environment: { variables[$0] })
        }
        #expect(error?.description.hasPrefix("environment variable MILLRACE_LOG_LEVEL:") == true)
    }
}
