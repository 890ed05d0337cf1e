# Needs Flask: pip install './examples/python[flask]'
import flask

from healthchecker import HealthCheckerServer, HealthCheckResponse, HealthStatus
from healthchecker.iputils import find_free_port

APP_NAME = 'Sample HealthChecker App'
app = flask.Flask(__name__)


@app.route('/health')
def health():
    return HealthCheckResponse().description(APP_NAME).status(HealthStatus.PASS).build()


if __name__ == '__main__':
    port = find_free_port()

    # register with HealthChecker that we want to be monitored, at this port of this machine
    server = HealthCheckerServer(app=APP_NAME)
    status = server.monitor(port=port, emailAddr='me@example.org', interval=10, unhealthy=2, healthy=4)
    if status != 200:
        print(f'HealthChecker returned a status of {status}: {server.error()}')
    else:
        print(f'Registered with HealthChecker at {server.url()}')

    # With debug=True, Flask's reloader runs this file in two processes: both register the same.
    app.run(host='0.0.0.0', port=port, debug=False)
    # Ctrl-C leads here: remove ourselves from being monitored. A crash does not, and is noticed.
    server.stop()
