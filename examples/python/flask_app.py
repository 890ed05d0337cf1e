import flask
from flask_api.status import is_success

from healthcheck import HealthCheckResponse, HealthStatus, HealthCheckerServer
from iputils import getMyIpAddr, findFreePort

APP_NAME = 'Sample HealthChecker App'
app = flask.Flask(__name__)


@app.route('/health')
def health():
    return HealthCheckResponse().description(APP_NAME).status(HealthStatus.PASS).build()


if __name__ == '__main__':
    port = findFreePort()

    # register with HealthChecker that we want to be monitored
    healthCheckerServer = HealthCheckerServer(app=APP_NAME, url=f'http://{getMyIpAddr()}:{port}')
    hcs = healthCheckerServer.monitor(emailAddr='me@example.org', interval=10, unhealthy=2, healthy=4)
    if not is_success(hcs):
        print(f'HealthChecker returned a status of {hcs}')
    else:
        print(f'Registered with HealthChecker at {healthCheckerServer.url()}')

    app.run(host='0.0.0.0', port=port, debug=False)
    # Ctrl-C leads here: remove ourselves from being monitored. A crash does not, and is noticed.
    healthCheckerServer.stop()
