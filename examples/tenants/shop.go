package main

import (
	"context"
	"sync"

	"connectrpc.com/connect"

	shopv1 "github.com/corsrpc/corsrpc-go/examples/tenants/gen/shop/v1"
	"github.com/corsrpc/corsrpc-go/examples/tenants/gen/shop/v1/shopv1connect"
)

// shop implements the service.
type shop struct {
	shopv1connect.UnimplementedShopServiceHandler // for Restock, which this example does not implement

	mu    sync.Mutex
	carts map[string]int32
}

func newShop() *shop { return &shop{carts: map[string]int32{}} }

func (*shop) ListProducts(context.Context, *connect.Request[shopv1.ListProductsRequest]) (*connect.Response[shopv1.ListProductsResponse], error) {
	return connect.NewResponse(&shopv1.ListProductsResponse{Products: []string{"bread", "cheese"}}), nil
}

func (s *shop) AddToCart(_ context.Context, r *connect.Request[shopv1.AddToCartRequest]) (*connect.Response[shopv1.AddToCartResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carts[r.Header().Get("X-Cart-Id")]++
	response := connect.NewResponse(&shopv1.AddToCartResponse{InCart: s.carts[r.Header().Get("X-Cart-Id")]})
	response.Header().Set("X-Stock", "41") // scripts can read all headers and trailers
	return response, nil
}
