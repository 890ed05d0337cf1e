from healthcheck import HealthCheckerServer
healthCheckerServer = HealthCheckerServer(app='MyApp', url=f'http://www.mywebpage.com')
hcs = healthCheckerServer.monitor(emailAddr='me@example.org')
if hcs != 200:
    print(f'HealthChecker returned a status of {hcs}')
else:
    print(f'Registered with HealthChecker at {healthCheckerServer.url()}')
