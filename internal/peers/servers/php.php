<?php
// The router of PHP's built-in server. It runs the lines of a row, which are in the file of the host, and then answers
// as sidebyside.API does.
$file = getenv('ROWS') . '/' . $_SERVER['HTTP_HOST'] . '.php';
if (is_file($file)) {
    require $file;
}
if ($_SERVER['REQUEST_METHOD'] === 'OPTIONS') {
    http_response_code(405);
    return;
}
header('X-Handler: ran');
header('X-Request-Id: 1');
header('X-Total: 2');
header('Etag: "3"');
header('Trailer-X-Request-Id: 4');
header('Content-Type: application/json');
if (str_starts_with($_SERVER['HTTP_CONTENT_TYPE'] ?? '', 'application/grpc-web')) {
    header('Content-Type: application/grpc-web+proto');
    header('Grpc-Status: 5');
    header('Grpc-Message: none');
}
http_response_code((int) ($_GET['status'] ?? 200));
